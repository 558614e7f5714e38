//! Tables of fields that become wire types.
//!
//! All of them write the doc comments given to them through, derive `Debug`, `Clone`, `PartialEq` and
//! `Eq`, and implement `Encode` and `Decode`. A field of variable length names its limit in
//! brackets, as the RFC does in angle brackets: `tag: Bytes [TAG_MAX]`. In tests every type can also
//! be made up, see `sample`.

/// Reads one field: `xdr_field!(d, Type)` or `xdr_field!(d, Type, LIMIT)`.
macro_rules! xdr_field {
    ($d:ident, $ty:ty) => {
        <$ty as $crate::xdr::Decode>::decode($d)?
    };
    ($d:ident, $ty:ty, $max:expr) => {
        <$ty as $crate::xdr::DecodeBounded>::decode_bounded($d, $max)?
    };
}

/// A structure: its fields one after the other.
///
/// ```text
/// xdr_struct! {
///     /// Documentation.
///     pub struct Write4Args {
///         stateid: Stateid4,
///         data: Bytes [WRITE_DATA_MAX],
///     }
/// }
/// ```
macro_rules! xdr_struct {
    ($(
        $(#[$meta:meta])*
        pub struct $name:ident {
            $( $(#[$fmeta:meta])* $field:ident : $ty:ty $([$max:expr])? ),* $(,)?
        }
    )*) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name {
            $(
                $(#[$fmeta])*
                #[doc = concat!("(Field `", stringify!($field), "`.)")]
                pub $field: $ty,
            )*
        }

        impl $crate::xdr::Encode for $name {
            fn encode(&self, e: &mut $crate::xdr::Encoder) {
                $( $crate::xdr::Encode::encode(&self.$field, e); )*
            }
        }

        impl $crate::xdr::Decode for $name {
            fn decode(d: &mut $crate::xdr::Decoder) -> Result<Self, $crate::xdr::XdrError> {
                Ok(Self { $( $field: $crate::xdr::xdr_field!(d, $ty $(, $max)?), )* })
            }
        }

        #[cfg(test)]
        impl $crate::xdr::sample::Sample for $name {
            fn sample(source: &mut $crate::xdr::sample::Source) -> Self {
                Self { $( $field: $crate::xdr::sample::sample_field!(source, $ty $(, $max)?), )* }
            }
        }
    )*};
}

/// A type of its own around one field: `pub struct NfsFh4(Bytes [NFS4_FHSIZE]);`.
macro_rules! xdr_newtype {
    ($(
        $(#[$meta:meta])*
        pub struct $name:ident ( $ty:ty $([$max:expr])? );
    )*) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        pub struct $name(
            /// The value inside.
            pub $ty,
        );

        impl $crate::xdr::Encode for $name {
            fn encode(&self, e: &mut $crate::xdr::Encoder) {
                $crate::xdr::Encode::encode(&self.0, e);
            }
        }

        impl $crate::xdr::Decode for $name {
            fn decode(d: &mut $crate::xdr::Decoder) -> Result<Self, $crate::xdr::XdrError> {
                Ok(Self($crate::xdr::xdr_field!(d, $ty $(, $max)?)))
            }
        }

        #[cfg(test)]
        impl $crate::xdr::sample::Sample for $name {
            fn sample(source: &mut $crate::xdr::sample::Source) -> Self {
                Self($crate::xdr::sample::sample_field!(source, $ty $(, $max)?))
            }
        }
    )*};
}

/// An enumeration; a value without a name is an error.
///
/// ```text
/// xdr_enum! {
///     /// Documentation.
///     pub enum NfsLockType4 { Read = 1 => READ_LT, Write = 2 => WRITE_LT }
/// }
/// ```
macro_rules! xdr_enum {
    ($(
        $(#[$meta:meta])*
        pub enum $name:ident {
            $( $(#[$vmeta:meta])* $variant:ident = $value:literal => $rfc:ident ),* $(,)?
        }
    )*) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u32)]
        pub enum $name {
            $(
                $(#[$vmeta])*
                #[doc = concat!("`", stringify!($rfc), "` (", stringify!($value), ").")]
                $variant = $value,
            )*
        }

        impl $name {
            /// All values, in the order of the RFC.
            pub const ALL: &'static [Self] = &[$( Self::$variant ),*];

            /// The value with this number, if there is one.
            #[must_use]
            pub const fn from_u32(value: u32) -> Option<Self> {
                match value {
                    $( $value => Some(Self::$variant), )*
                    _ => None,
                }
            }

            /// The number on the wire.
            #[must_use]
            pub const fn as_u32(self) -> u32 {
                self as u32
            }

            /// The RFC's name of the value.
            #[must_use]
            pub const fn rfc_name(self) -> &'static str {
                match self {
                    $( Self::$variant => stringify!($rfc), )*
                }
            }
        }

        impl From<$name> for u32 {
            fn from(value: $name) -> Self {
                value.as_u32()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.rfc_name())
            }
        }

        impl $crate::xdr::Encode for $name {
            fn encode(&self, e: &mut $crate::xdr::Encoder) {
                e.u32(self.as_u32());
            }
        }

        impl $crate::xdr::Decode for $name {
            fn decode(d: &mut $crate::xdr::Decoder) -> Result<Self, $crate::xdr::XdrError> {
                let value = d.u32()?;
                Self::from_u32(value).ok_or($crate::xdr::XdrError::BadEnum {
                    type_name: stringify!($name),
                    value,
                })
            }
        }

        #[cfg(test)]
        impl $crate::xdr::sample::Sample for $name {
            fn sample(source: &mut $crate::xdr::sample::Source) -> Self {
                Self::ALL[source.below(Self::ALL.len())]
            }
        }
    )*};
}

/// A discriminated union. Without a `default`, a discriminant that has no arm is an error; with
/// one, the named variant carries the discriminant and no body (`default: void`).
///
/// ```text
/// xdr_union! {
///     /// Documentation.
///     pub enum Settime4 switch TimeHow4 {
///         case TimeHow4::SetToClientTime => Client(Nfstime4),
///         case TimeHow4::SetToServerTime => Server,
///     }
/// }
/// xdr_union! {
///     /// Documentation.
///     pub enum Createtype4 switch NfsFtype4, default Other { case NfsFtype4::Lnk => Lnk(Bytes [LINKTEXT_MAX]), }
/// }
/// ```
macro_rules! xdr_union {
    ($(
        $(#[$meta:meta])*
        pub enum $name:ident switch $disc:ident $(, default $other:ident)? {
            $( $(#[$vmeta:meta])* case $case:expr => $variant:ident $(( $ty:ty $([$max:expr])? ))? ),* $(,)?
        }
    )*) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum $name {
            $(
                $(#[$vmeta])*
                #[doc = concat!("The arm of `", stringify!($case), "`.")]
                $variant $(($ty))?,
            )*
            $(
                /// Any other discriminant; it has no body.
                $other($disc),
            )?
        }

        impl $crate::xdr::Encode for $name {
            fn encode(&self, e: &mut $crate::xdr::Encoder) {
                match self {
                    $( $crate::xdr::xdr_arm!(body, $variant $(, $ty)?) => {
                        $crate::xdr::Encode::encode(&$case, e);
                        $( <$ty as $crate::xdr::Encode>::encode(body, e); )?
                    } )*
                    $( Self::$other(disc) => $crate::xdr::Encode::encode(disc, e), )?
                }
            }
        }

        impl $crate::xdr::Decode for $name {
            fn decode(d: &mut $crate::xdr::Decoder) -> Result<Self, $crate::xdr::XdrError> {
                let disc = <$disc as $crate::xdr::Decode>::decode(d)?;
                $( if disc == $case {
                    return Ok(Self::$variant $(($crate::xdr::xdr_field!(d, $ty $(, $max)?)))?);
                } )*
                $crate::xdr::xdr_default!(disc, $name $(, $other)?)
            }
        }

        #[cfg(test)]
        impl $crate::xdr::sample::Sample for $name {
            fn sample(source: &mut $crate::xdr::sample::Source) -> Self {
                let arms: &[fn(&mut $crate::xdr::sample::Source) -> Self] = &[$(
                    |_source| Self::$variant $(($crate::xdr::sample::sample_field!(_source, $ty $(, $max)?)))?,
                )*];
                arms[source.below(arms.len())](source)
            }
        }
    )*};
}

/// The pattern of a union's arm, with or without a body.
macro_rules! xdr_arm {
    ($body:ident, $variant:ident) => {
        Self::$variant
    };
    ($body:ident, $variant:ident, $ty:ty) => {
        Self::$variant($body)
    };
}

/// What a union decodes to when no arm matched.
macro_rules! xdr_default {
    ($disc:ident, $name:ident) => {
        Err($crate::xdr::XdrError::BadEnum { type_name: stringify!($name), value: u32::from($disc) })
    };
    ($disc:ident, $name:ident, $other:ident) => {
        Ok(Self::$other($disc))
    };
}

/// The result of an operation that has a body for more statuses than NFS4_OK. Every other status has
/// none and becomes `Error(status)`. Results with one body are plain `OpResult<T>`.
///
/// ```text
/// xdr_result! {
///     /// Documentation.
///     pub enum Lock4Res {
///         Ok => Ok(Lock4Resok),
///         Denied => Denied(Lock4Denied),
///     }
/// }
/// ```
macro_rules! xdr_result {
    ($(
        $(#[$meta:meta])*
        pub enum $name:ident {
            $( $(#[$vmeta:meta])* $status:ident => $variant:ident $(( $ty:ty $([$max:expr])? ))? ),* $(,)?
        }
    )*) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum $name {
            $(
                $(#[$vmeta])*
                #[doc = concat!("The body of `NfsStat4::", stringify!($status), "`.")]
                $variant $(($ty))?,
            )*
            /// Any other status; it has no body.
            Error($crate::nfs4::NfsStat4),
        }

        impl $crate::nfs4::OpStatus for $name {
            fn status(&self) -> $crate::nfs4::NfsStat4 {
                match self {
                    $( Self::$variant { .. } => $crate::nfs4::NfsStat4::$status, )*
                    // A status that has a body cannot stand without it.
                    $( Self::Error($crate::nfs4::NfsStat4::$status) )|* => $crate::nfs4::NfsStat4::Serverfault,
                    Self::Error(status) => *status,
                }
            }

            fn failed(status: $crate::nfs4::NfsStat4) -> Self {
                Self::Error(status)
            }
        }

        impl $crate::xdr::Encode for $name {
            fn encode(&self, e: &mut $crate::xdr::Encoder) {
                $crate::xdr::Encode::encode(&$crate::nfs4::OpStatus::status(self), e);
                match self {
                    $( $crate::xdr::xdr_arm!(body, $variant $(, $ty)?) => {
                        $( <$ty as $crate::xdr::Encode>::encode(body, e); )?
                    } )*
                    Self::Error(_) => {}
                }
            }
        }

        impl $crate::xdr::Decode for $name {
            fn decode(d: &mut $crate::xdr::Decoder) -> Result<Self, $crate::xdr::XdrError> {
                match <$crate::nfs4::NfsStat4 as $crate::xdr::Decode>::decode(d)? {
                    $( $crate::nfs4::NfsStat4::$status => {
                        Ok(Self::$variant $(($crate::xdr::xdr_field!(d, $ty $(, $max)?)))?)
                    } )*
                    status => Ok(Self::Error(status)),
                }
            }
        }

        #[cfg(test)]
        impl $crate::xdr::sample::Sample for $name {
            fn sample(source: &mut $crate::xdr::sample::Source) -> Self {
                let arms: &[fn(&mut $crate::xdr::sample::Source) -> Self] = &[
                    $( |_source| Self::$variant $(($crate::xdr::sample::sample_field!(_source, $ty $(, $max)?)))?, )*
                    |_| Self::Error($crate::nfs4::NfsStat4::Delay),
                ];
                arms[source.below(arms.len())](source)
            }
        }
    )*};
}

pub(crate) use {xdr_arm, xdr_default, xdr_enum, xdr_field, xdr_newtype, xdr_result, xdr_struct, xdr_union};
