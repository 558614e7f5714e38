//! Which file each operation of a compound works on.

use std::collections::HashMap;

use nfs4_protocol::nfs4::{Attrs, NfsArgop4, NfsFh4, NfsFtype4, NfsResop4};

/// The current filehandle before each operation of a compound, as far as its arguments and results tell. An operation
/// without a result is not reached.
pub(super) fn current_handles(ops: &[NfsArgop4], results: &[NfsResop4]) -> Vec<Option<NfsFh4>> {
    let (mut current, mut saved) = (None, None);
    let mut handles = Vec::new();
    for (op, result) in ops.iter().zip(results) {
        handles.push(current.clone());
        match op {
            NfsArgop4::Putfh(args) => current = Some(args.object.clone()),
            NfsArgop4::Savefh => saved.clone_from(&current),
            NfsArgop4::Restorefh => current.clone_from(&saved),
            NfsArgop4::Putrootfh
            | NfsArgop4::Putpubfh
            | NfsArgop4::Lookup(_)
            | NfsArgop4::Lookupp
            | NfsArgop4::Open(_)
            | NfsArgop4::Create(_)
            | NfsArgop4::Openattr(_)
            | NfsArgop4::Secinfo(_)
            | NfsArgop4::SecinfoNoName(_) => current = None,
            _ => {}
        }
        current = handle_of(result).or(current);
    }
    handles
}

/// The handle that a result tells of the current filehandle.
pub(super) fn handle_of(result: &NfsResop4) -> Option<NfsFh4> {
    match result {
        NfsResop4::Getfh(Ok(body)) => Some(body.object.clone()),
        NfsResop4::Getattr(Ok(body)) => body.obj_attributes.parse().ok()?.filehandle,
        _ => None,
    }
}

/// The types of files, as far as attributes told them.
#[derive(Debug, Default)]
pub(super) struct Types(HashMap<NfsFh4, NfsFtype4>);

impl Types {
    /// Whether these attributes are a directory's. `handle` is the file they are of.
    pub(super) fn is_directory(&self, attrs: &Attrs, handle: Option<&NfsFh4>) -> bool {
        let known = || handle.and_then(|handle| self.0.get(handle)).copied();
        attrs.ftype.or_else(known) == Some(NfsFtype4::Dir)
    }

    /// Learns from the attributes of a file.
    pub(super) fn learn(&mut self, attrs: &Attrs, handle: Option<&NfsFh4>) {
        if let (Some(ftype), Some(handle)) = (attrs.ftype, attrs.filehandle.as_ref().or(handle)) {
            self.0.insert(handle.clone(), ftype);
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use nfs4_protocol::nfs4::{Getattr4Args, Getattr4Resok, Getfh4Resok, Lookup4Args, NfsStat4, Putfh4Args};
    use pretty_assertions::assert_eq;

    use super::*;

    fn handle(name: &'static str) -> NfsFh4 {
        NfsFh4(Bytes::from_static(name.as_bytes()))
    }

    #[test]
    fn handles_come_from_putfh_getfh_and_attributes_and_go_with_lookup() {
        let getattr = || NfsArgop4::Getattr(Getattr4Args { attr_request: [].into_iter().collect() });
        let told = |attrs: Attrs| NfsResop4::Getattr(Ok(Getattr4Resok { obj_attributes: attrs.to_fattr4() }));
        let ops = [
            NfsArgop4::Putfh(Putfh4Args { object: handle("d") }),
            NfsArgop4::Savefh,
            NfsArgop4::Lookup(Lookup4Args { objname: "f".into() }),
            NfsArgop4::Getfh,
            NfsArgop4::Lookup(Lookup4Args { objname: "g".into() }),
            getattr(),
            NfsArgop4::Restorefh,
            getattr(),
            NfsArgop4::Readlink,
        ];
        let results = [
            NfsResop4::Putfh(Ok(())),
            NfsResop4::Savefh(Ok(())),
            NfsResop4::Lookup(Ok(())),
            NfsResop4::Getfh(Ok(Getfh4Resok { object: handle("f") })),
            NfsResop4::Lookup(Ok(())),
            told(Attrs { filehandle: Some(handle("g")), ..Attrs::default() }),
            NfsResop4::Restorefh(Ok(())),
            NfsResop4::Getattr(Err(NfsStat4::Stale)),
        ];
        let expected = [None, Some("d"), Some("d"), None, Some("f"), None, Some("g"), Some("d")];
        assert_eq!(current_handles(&ops, &results), expected.map(|name| name.map(handle)));
    }

    #[test]
    fn a_type_once_told_is_known_of_the_handle() {
        let mut types = Types::default();
        let directory = Attrs { ftype: Some(NfsFtype4::Dir), ..Attrs::default() };
        assert!(types.is_directory(&directory, None));
        types.learn(&directory, Some(&handle("d")));
        assert!(types.is_directory(&Attrs::default(), Some(&handle("d"))));
        assert!(!types.is_directory(&Attrs::default(), Some(&handle("f"))));
        let file = Attrs { ftype: Some(NfsFtype4::Reg), ..Attrs::default() };
        assert!(!types.is_directory(&file, Some(&handle("d"))));
    }
}
