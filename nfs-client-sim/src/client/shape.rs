//! The shape of a client's messages, for clients that shall look like another implementation.

use bytes::Bytes;
use nfs4_protocol::nfs4::{
    Bitmap4, ChannelAttrs4, Compound4Args, Createhow4, EXCHGID4_FLAG_USE_NON_PNFS, Fattr4, NFS4_CALLBACK, NfsArgop4,
    NfsImplId4, Openflag4,
};

/// The machine name in AUTH_SYS credentials.
const MACHINE_NAME: &[u8] = b"nfs-client-sim";

/// What differs between client implementations that do the same: tags, session parameters, lengths of bitmaps. It
/// holds for all compounds of a client. The name of the client is [`ClientOptions::name`](crate::ClientOptions::name).
#[derive(Debug, Clone)]
pub struct Shape {
    /// The tag of compounds that have none of their own.
    pub tag: Tag,
    /// Bitmaps in requests have at least so many words, the last ones zero; at most 64.
    pub bitmap_words: usize,
    /// The flags of EXCHANGE_ID (`EXCHGID4_FLAG_*`).
    pub exchange_id_flags: u32,
    /// Who wrote the client, for EXCHANGE_ID.
    pub implementation: Option<NfsImplId4>,
    /// The flags of CREATE_SESSION (`CREATE_SESSION4_FLAG_*`). With callbacks, CONN_BACK_CHAN is added.
    pub create_session_flags: u32,
    /// The fore channel to ask for; by default made from the other options.
    pub fore_channel: Option<ChannelAttrs4>,
    /// The back channel to ask for; by default a small one.
    pub back_channel: Option<ChannelAttrs4>,
    /// The RPC program number of callbacks.
    pub cb_program: u32,
    /// The machine name in AUTH_SYS credentials.
    pub machine_name: Bytes,
    /// Whether the client asks for the lease and the limits of READ and WRITE once it is known. Else it takes 90
    /// seconds, and what its own options and the session allow.
    pub asks_limits: bool,
}

/// The tag of compounds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Tag {
    /// Empty.
    #[default]
    Empty,
    /// Always the same.
    Fixed(Bytes),
    /// Depends on the operations, SEQUENCE included.
    Of(TagOf),
}

/// Makes a tag out of the operations of a compound, SEQUENCE included.
#[derive(Debug, Clone, Copy)]
pub struct TagOf(pub fn(&[NfsArgop4]) -> Bytes);

impl PartialEq for TagOf {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::fn_addr_eq(self.0, other.0)
    }
}

impl Eq for TagOf {}

impl Default for Shape {
    fn default() -> Self {
        Self {
            tag: Tag::default(),
            bitmap_words: 0,
            exchange_id_flags: EXCHGID4_FLAG_USE_NON_PNFS,
            implementation: None,
            create_session_flags: 0,
            fore_channel: None,
            back_channel: None,
            cb_program: NFS4_CALLBACK,
            machine_name: Bytes::from_static(MACHINE_NAME),
            asks_limits: true,
        }
    }
}

impl Shape {
    /// Gives a compound the shape.
    pub(crate) fn apply(&self, args: &mut Compound4Args) {
        if args.tag.is_empty() {
            args.tag = match &self.tag {
                Tag::Empty => Bytes::new(),
                Tag::Fixed(tag) => tag.clone(),
                Tag::Of(make) => (make.0)(&args.argarray),
            };
        }
        if self.bitmap_words > 0 {
            args.argarray.iter_mut().for_each(|op| self.pad_bitmaps(op));
        }
    }

    fn pad_bitmaps(&self, op: &mut NfsArgop4) {
        match op {
            NfsArgop4::Getattr(args) => self.pad(&mut args.attr_request),
            NfsArgop4::Readdir(args) => self.pad(&mut args.attr_request),
            NfsArgop4::Setattr(args) => self.pad_attrs(&mut args.obj_attributes),
            NfsArgop4::Create(args) => self.pad_attrs(&mut args.createattrs),
            NfsArgop4::Verify(args) | NfsArgop4::Nverify(args) => self.pad_attrs(&mut args.obj_attributes),
            NfsArgop4::Open(args) => match &mut args.openhow {
                Openflag4::Create(Createhow4::Unchecked(attrs) | Createhow4::Guarded(attrs)) => self.pad_attrs(attrs),
                Openflag4::Create(Createhow4::Exclusive41(how)) => self.pad_attrs(&mut how.attrs),
                Openflag4::Create(Createhow4::Exclusive(_)) | Openflag4::Nocreate => {}
            },
            _ => {}
        }
    }

    fn pad_attrs(&self, attrs: &mut Fattr4) {
        self.pad(&mut attrs.attrmask);
    }

    fn pad(&self, bitmap: &mut Bitmap4) {
        let mut words = bitmap.words().to_vec();
        words.resize(words.len().max(self.bitmap_words), 0);
        *bitmap = Bitmap4::from_words(&words);
    }
}

#[cfg(test)]
mod tests {
    use nfs4_protocol::nfs4::{FATTR4_SIZE, Stateid4};
    use pretty_assertions::assert_eq;

    use super::*;
    use crate::CompoundBuilder;

    fn count(ops: &[NfsArgop4]) -> Bytes {
        format!("{} operations", ops.len()).into()
    }

    #[test]
    fn a_tag_is_made_of_the_operations_unless_there_is_one() {
        let shape = Shape { tag: Tag::Of(TagOf(count)), ..Shape::default() };
        let mut args = CompoundBuilder::new().putrootfh().getfh().build(0);
        shape.apply(&mut args);
        assert_eq!(args.tag, "2 operations");
        let mut own = CompoundBuilder::new().tag("own").build(0);
        shape.apply(&mut own);
        assert_eq!(own.tag, "own");
    }

    #[test]
    fn bitmaps_get_zero_words_and_keep_their_bits() {
        let shape = Shape { bitmap_words: 3, ..Shape::default() };
        let attrs = crate::files::mode(0o600).to_fattr4();
        let mut args = CompoundBuilder::new()
            .getattr(&[FATTR4_SIZE])
            .setattr(Stateid4::ANONYMOUS, attrs.clone())
            .verify(attrs.clone())
            .build(0);
        shape.apply(&mut args);
        let NfsArgop4::Getattr(getattr) = &args.argarray[0] else { panic!("{args:?}") };
        assert_eq!(getattr.attr_request.words(), [1 << FATTR4_SIZE, 0, 0]);
        for op in &args.argarray[1..] {
            let sent = match op {
                NfsArgop4::Setattr(args) => &args.obj_attributes,
                NfsArgop4::Verify(args) => &args.obj_attributes,
                other => panic!("{other:?}"),
            };
            assert_eq!(sent.attrmask.words().len(), 3);
            assert!(sent.attrmask.same_bits(&attrs.attrmask));
            assert_eq!(sent.attr_vals, attrs.attr_vals);
        }
    }
}
