//! Tables in the documentation that are read off the source. They are compared here, and with `UPDATE_TABLES=1`
//! written.
//!
//! A test belongs to the operations that a line `Operations: LOOKUP, LOOKUPP` names: in the documentation of the test
//! itself, else of its file. Its minor versions are the `#[values(…)]` of its argument `minor`, else the number that it
//! gives to `rfc`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "functions that tests share may fail as tests do")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use nfs4_protocol::nfs4::{MINOR_VERSION_MAX, OpNum};
use pretty_assertions::assert_eq;
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, ExprLit, FnArg, Item, ItemFn, Lit, LitInt, Meta, Pat, Stmt, Token};

const BEGIN: &str = "<!-- begin: operations -->\n";
const END: &str = "<!-- end: operations -->\n";
/// What has tests and is no operation of its own.
const BESIDE: &[&str] = &["COMPOUND", "ILLEGAL"];

/// Numbers of tests, by operation and minor version.
type Counts = BTreeMap<(String, u32), usize>;

/// A row of the server's table of operations.
struct Row {
    op: OpNum,
    minor_last: u32,
    is_absent: bool,
}

/// What was found in the folders of tests.
#[derive(Default)]
struct Tests {
    counts: Counts,
    functions: usize,
    cases: usize,
}

#[test]
fn the_table_of_operations_is_up_to_date() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let document = root.join("docs/compatibility.md");
    let old = std::fs::read_to_string(&document).unwrap();
    let (before, rest) = old.split_once(BEGIN).unwrap_or_else(|| panic!("no line {BEGIN:?}"));
    let (table, after) = rest.split_once(END).unwrap_or_else(|| panic!("no line {END:?}"));
    let mut tests = Tests::default();
    for folder in ["rfc", "suites"] {
        tests.collect(&root.join("conformance/tests").join(folder));
    }
    let rows = rows(&parse(&root.join("server/src/compound/table.rs")));
    let new = format!("{before}{BEGIN}{}{END}{after}", render(&rows, &tests, &remarks(table)));
    println!("{} tests of the protocol's rules, run as {} cases per kind of server", tests.functions, tests.cases);
    if std::env::var_os("UPDATE_TABLES").is_some() {
        std::fs::write(&document, new).unwrap();
    } else {
        assert_eq!(old, new, "docs/compatibility.md is out of date: UPDATE_TABLES=1 writes it");
    }
    tests.check_complete(&rows);
}

fn parse(path: &Path) -> syn::File {
    let source = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    syn::parse_file(&source).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

impl Tests {
    fn collect(&mut self, folder: &Path) {
        let mut paths: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        for path in paths {
            let file = parse(&path);
            let of_file = operations(&file.attrs);
            for item in &file.items {
                let Item::Fn(test) = item else { continue };
                if test.attrs.iter().any(|attr| attr.path().is_ident("rstest")) {
                    self.count(test, &of_file, &path);
                }
            }
        }
    }

    fn count(&mut self, test: &ItemFn, of_file: &[String], path: &Path) {
        let name = format!("{}: {}", path.display(), test.sig.ident);
        let own = operations(&test.attrs);
        let operations = if own.is_empty() { of_file } else { &own };
        assert!(!operations.is_empty(), "{name}: no line `Operations: …`");
        let minors = minors(test).or_else(|| only_minor(test));
        let minors =
            minors.unwrap_or_else(|| panic!("{name}: neither `#[values(…)] minor` nor `rfc(target, MINOR, …)`"));
        self.functions += 1;
        self.cases += minors.len();
        for operation in operations {
            let known = BESIDE.contains(&operation.as_str()) || OpNum::ALL.iter().any(|op| op.name() == operation);
            assert!(known, "{name}: {operation} is no operation");
            for minor in &minors {
                *self.counts.entry((operation.clone(), *minor)).or_default() += 1;
            }
        }
    }

    fn count_of(&self, operation: &str, minor: u32) -> usize {
        self.counts.get(&(operation.to_owned(), minor)).copied().unwrap_or_default()
    }

    /// Every operation of every minor version has a test, also if it is only that it is refused.
    fn check_complete(&self, rows: &[Row]) {
        for op in rows.iter().map(|row| row.op) {
            for minor in op.since_minor()..=MINOR_VERSION_MAX {
                assert!(self.count_of(op.name(), minor) > 0, "{op} has no test in 4.{minor}");
            }
        }
    }
}

/// The operations that documentation names, in the paragraph that begins with `Operations:`.
fn operations(attrs: &[Attribute]) -> Vec<String> {
    let lines = attrs.iter().filter_map(doc_line).map(|line| line.trim().to_owned());
    let paragraph = lines.skip_while(|line| !line.starts_with("Operations:")).take_while(|line| !line.is_empty());
    let text = paragraph.collect::<Vec<_>>().join(" ");
    let names = text.trim_start_matches("Operations:").split(',').map(str::trim);
    names.filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

fn doc_line(attr: &Attribute) -> Option<String> {
    let Meta::NameValue(meta) = &attr.meta else { return None };
    match &meta.value {
        Expr::Lit(value) if meta.path.is_ident("doc") => match &value.lit {
            Lit::Str(text) => Some(text.value()),
            _ => None,
        },
        _ => None,
    }
}

/// The minor version of a test of a single one.
fn only_minor(test: &ItemFn) -> Option<Vec<u32>> {
    let calls = test.block.stmts.iter().filter_map(|statement| match statement {
        Stmt::Expr(Expr::Call(call), _) => Some(call),
        _ => None,
    });
    let mut calls = calls.filter(|call| last_name(&call.func).is_some_and(|name| name == "rfc"));
    match calls.next()?.args.get(1)? {
        Expr::Lit(ExprLit { lit: Lit::Int(minor), .. }) => Some(vec![minor.base10_parse().ok()?]),
        _ => None,
    }
}

/// The minor versions that a test takes as its argument.
fn minors(test: &ItemFn) -> Option<Vec<u32>> {
    let argument = test.sig.inputs.iter().find_map(|argument| match argument {
        FnArg::Typed(typed) => match &*typed.pat {
            Pat::Ident(pattern) if pattern.ident == "minor" => Some(typed),
            _ => None,
        },
        FnArg::Receiver(_) => None,
    })?;
    let values = argument.attrs.iter().find(|attr| attr.path().is_ident("values"))?;
    let values = values.parse_args_with(Punctuated::<LitInt, Token![,]>::parse_terminated).ok()?;
    values.iter().map(|value| value.base10_parse().ok()).collect()
}

/// The rows of the server's table.
fn rows(file: &syn::File) -> Vec<Row> {
    let table = file.items.iter().find_map(|item| match item {
        Item::Static(table) if table.ident == "TABLE" => Some(&*table.expr),
        _ => None,
    });
    let Some(Expr::Reference(table)) = table else { panic!("no table") };
    let Expr::Array(table) = &*table.expr else { panic!("the table is no array") };
    table.elems.iter().map(|row| row_of(row).unwrap_or_else(|| panic!("a row of another form"))).collect()
}

/// `all(OP, RULES)`, `change(OP, RULES, SIZE)`, or one of them in `only_40(…)`.
fn row_of(expr: &Expr) -> Option<Row> {
    let Expr::Call(call) = expr else { return None };
    let first = call.args.first()?;
    if last_name(&call.func)? == "only_40" {
        return Some(Row { minor_last: 0, ..row_of(first)? });
    }
    let name = last_name(first)?;
    let op = *OpNum::ALL.iter().find(|op| format!("{op:?}") == name)?;
    let is_absent = call.args.get(1).and_then(last_name).is_some_and(|rule| rule == "ABSENT");
    Some(Row { op, minor_last: MINOR_VERSION_MAX, is_absent })
}

fn last_name(expr: &Expr) -> Option<String> {
    let Expr::Path(path) = expr else { return None };
    Some(path.path.segments.last()?.ident.to_string())
}

/// The last column of the table as it is, which is written by hand.
fn remarks(table: &str) -> BTreeMap<&str, &str> {
    let rows = table.lines().filter_map(|line| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        Some((*cells.first()?, *cells.get(4)?))
    });
    rows.collect()
}

fn render(rows: &[Row], tests: &Tests, remarks: &BTreeMap<&str, &str>) -> String {
    let mut lines = vec![
        format!("{} tests name the operations that they are about, and run as {} cases.", tests.functions, tests.cases),
        String::new(),
        "| operation | 4.0 | 4.1 | 4.2 | |".to_owned(),
        "|---|---|---|---|---|".to_owned(),
    ];
    let remark = |name: &str| remarks.get(name).copied().unwrap_or_default();
    for name in BESIDE {
        let cells: Vec<String> = (0..=MINOR_VERSION_MAX).map(|minor| cell(true, tests.count_of(name, minor))).collect();
        lines.push(format!("| {name} | {} | {} |", cells.join(" | "), remark(name)));
    }
    for row in rows {
        let name = row.op.name();
        let cells = (0..=MINOR_VERSION_MAX).map(|minor| match minor {
            _ if minor < row.op.since_minor() => String::new(),
            _ => cell(!row.is_absent && minor <= row.minor_last, tests.count_of(name, minor)),
        });
        lines.push(format!("| {name} | {} | {} |", cells.collect::<Vec<_>>().join(" | "), remark(name)));
    }
    lines.join("\n") + "\n"
}

fn cell(is_offered: bool, tests: usize) -> String {
    format!("{} {tests}", if is_offered { "yes" } else { "no" })
}
