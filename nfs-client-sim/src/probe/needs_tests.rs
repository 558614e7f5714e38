use super::super::report::{AttributeSet, Notes};
use super::*;

/// A server that offers one minor version and was not looked at.
fn report(offered: u32) -> Report {
    let minor = Minor {
        minor: offered,
        offered: true,
        status: "NFS4_OK",
        trouble: None,
        operations: Vec::new(),
        supported_attrs: AttributeSet::default(),
        suppattr_exclcreat: AttributeSet::default(),
        notes: Notes::default(),
    };
    Report {
        server: String::new(),
        directory: String::new(),
        wrote: false,
        rpc: Notes::default(),
        minors: vec![minor],
        systems: Vec::new(),
    }
}

fn verdict(report: &Report, client: &str, what: &str) -> Verdict {
    let systems = judge(report);
    let system = systems.iter().find(|system| system.name == client).unwrap();
    system.needs.iter().find(|need| need.what == what).unwrap().verdict
}

fn offer(report: &mut Report, op: OpNum, offer: Offer) {
    let operation = Operation { name: op.name(), offer, status: String::new() };
    report.minors[0].operations.push(operation);
}

#[test]
fn a_client_whose_minor_version_is_not_there_misses_it_and_nothing_else_is_judged() {
    let systems = judge(&report(0));
    let linux = systems.iter().find(|system| system.name == "Linux 4.2").unwrap();
    assert_eq!(linux.needs.iter().map(|need| need.verdict).collect::<Vec<_>>(), [Verdict::Missing]);
}

#[test]
fn what_was_not_tried_is_not_seen() {
    assert_eq!(verdict(&report(1), "ESXi (4.1)", "DENY_BOTH does not deny itself"), Verdict::NotSeen);
}

#[test]
fn one_missing_feature_of_several_is_what_counts() {
    let mut report = report(0);
    let what = "open files outlive their name";
    report.minors[0].notes.found(F::UnlinkedOpen, true, "");
    assert_eq!(verdict(&report, "Linux 4.0", what), Verdict::NotSeen);
    report.minors[0].notes.found(F::ReplacedOpen, false, "");
    assert_eq!(verdict(&report, "Linux 4.0", what), Verdict::Missing);
    report.minors[0].notes.found(F::ReplacedOpen, true, "a later trial");
    assert_eq!(verdict(&report, "Linux 4.0", what), Verdict::Met);
}

#[test]
fn a_need_that_hangs_on_an_operation_is_met_without_it() {
    let what = "COPY is done before the reply, if there is COPY";
    let mut without = report(2);
    offer(&mut without, OpNum::Copy, Offer::NotSupported);
    assert_eq!(verdict(&without, "Linux 4.2", what), Verdict::Met);
    let mut with = report(2);
    offer(&mut with, OpNum::Copy, Offer::Offered);
    with.minors[0].notes.found(F::Copy, false, "only asynchronous");
    assert_eq!(verdict(&with, "Linux 4.2", what), Verdict::Missing);
}

#[test]
fn named_attributes_are_there_or_cleanly_not() {
    let what = "named attributes, or a clean NOTSUPP";
    let mut clean = report(0);
    offer(&mut clean, OpNum::Openattr, Offer::NotSupported);
    assert_eq!(verdict(&clean, "macOS 15 (4.0)", what), Verdict::Met);
    let mut broken = report(0);
    offer(&mut broken, OpNum::Openattr, Offer::Offered);
    broken.minors[0].notes.found(F::NamedAttributes, false, "NFS4ERR_SERVERFAULT");
    assert_eq!(verdict(&broken, "macOS 15 (4.0)", what), Verdict::Missing);
}

#[test]
fn attributes_are_looked_up_in_the_set_that_is_meant() {
    let mut report = report(2);
    let what = "mode_umask in an exclusive creation";
    report.minors[0].supported_attrs = AttributeSet([FATTR4_MODE_UMASK].into_iter().collect());
    assert_eq!(verdict(&report, "Linux 4.2", what), Verdict::NotSeen);
    report.minors[0].suppattr_exclcreat = AttributeSet([FATTR4_MODE].into_iter().collect());
    assert_eq!(verdict(&report, "Linux 4.2", what), Verdict::Missing);
    report.minors[0].suppattr_exclcreat = AttributeSet([FATTR4_MODE_UMASK].into_iter().collect());
    assert_eq!(verdict(&report, "Linux 4.2", what), Verdict::Met);
}
