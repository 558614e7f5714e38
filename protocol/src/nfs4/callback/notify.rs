//! The contents of CB_NOTIFY and CB_NOTIFY_DEVICEID.

use bytes::Bytes;

use crate::nfs4::{Bitmap4, COMPONENT_MAX, Component4, Deviceid4, Fattr4, Layouttype4, NfsCookie4, Verifier4};
use crate::xdr::{xdr_enum, xdr_struct};

/// The longest encoded contents of one notification, in bytes.
pub const NOTIFY_VALS_MAX: usize = 1 << 20;

xdr_enum! {
    /// `notify_type4`: what happened in a directory; the bits of [`Notify4::mask`] in CB_NOTIFY.
    pub enum NotifyType4 {
        ChangeChildAttrs = 0 => NOTIFY4_CHANGE_CHILD_ATTRS,
        ChangeDirAttrs = 1 => NOTIFY4_CHANGE_DIR_ATTRS,
        RemoveEntry = 2 => NOTIFY4_REMOVE_ENTRY,
        AddEntry = 3 => NOTIFY4_ADD_ENTRY,
        RenameEntry = 4 => NOTIFY4_RENAME_ENTRY,
        ChangeCookieVerifier = 5 => NOTIFY4_CHANGE_COOKIE_VERIFIER,
    }

    /// `notify_deviceid_type4`: what happened to a device; the bits of [`Notify4::mask`] in
    /// CB_NOTIFY_DEVICEID.
    pub enum NotifyDeviceidType4 {
        Change = 1 => NOTIFY_DEVICEID4_CHANGE,
        Delete = 2 => NOTIFY_DEVICEID4_DELETE,
    }
}

xdr_struct! {
    /// `notify4`: notifications, one for each bit of the mask.
    pub struct Notify4 {
        mask: Bitmap4,
        /// The structures that belong to the bits, encoded one after the other (`notifylist4`).
        vals: Bytes [NOTIFY_VALS_MAX],
    }

    /// `notify_entry4`: an entry that changed.
    pub struct NotifyEntry4 {
        file: Component4 [COMPONENT_MAX],
        attrs: Fattr4,
    }

    /// `prev_entry4`: the entry before the one that changed.
    pub struct PrevEntry4 {
        prev_entry: NotifyEntry4,
        prev_entry_cookie: NfsCookie4,
    }

    /// `notify_remove4`: an entry is gone.
    pub struct NotifyRemove4 {
        old_entry: NotifyEntry4,
        old_entry_cookie: NfsCookie4,
    }

    /// `notify_add4`: an entry is new. Optional fields are arrays of at most one element, which is the
    /// same on the wire.
    pub struct NotifyAdd4 {
        /// The entry that the new one replaced, in a rename.
        old_entry: Option<NotifyRemove4>,
        new_entry: NotifyEntry4,
        new_entry_cookie: Option<NfsCookie4>,
        prev_entry: Option<PrevEntry4>,
        /// Whether it is the last of the directory.
        last_entry: bool,
    }

    /// `notify_attr4`: the attributes of an entry, or of the directory, changed.
    pub struct NotifyAttr4 {
        changed_entry: NotifyEntry4,
    }

    /// `notify_rename4`: an entry has a new name.
    pub struct NotifyRename4 {
        old_entry: NotifyRemove4,
        new_entry: NotifyAdd4,
    }

    /// `notify_verifier4`: the cookie verifier of the directory changed.
    #[derive(Copy)]
    pub struct NotifyVerifier4 {
        old_cookieverf: Verifier4,
        new_cookieverf: Verifier4,
    }

    /// `notify_deviceid_delete4`: a device is gone.
    #[derive(Copy)]
    pub struct NotifyDeviceidDelete4 {
        layouttype: Layouttype4,
        deviceid: Deviceid4,
    }

    /// `notify_deviceid_change4`: a device has a new address.
    #[derive(Copy)]
    pub struct NotifyDeviceidChange4 {
        layouttype: Layouttype4,
        deviceid: Deviceid4,
        /// Whether the old address is invalid at once.
        immediate: bool,
    }
}
