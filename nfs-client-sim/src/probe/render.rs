//! The report as a person reads it.

use std::fmt;

use comfy_table::{ContentArrangement, Table, presets};

use super::report::{AttributeSet, Minor, Notes, Offer, Report, Seen, System, Verdict};

/// How wide the tables are, in characters.
const WIDTH: u16 = 150;

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}{}", self.server, self.directory)?;
        writeln!(f, "\n{}", notes(&self.rpc, "RPC"))?;
        for minor in &self.minors {
            show(f, minor)?;
        }
        writeln!(f, "\nOperations\n{}", operations(&self.minors))?;
        for system in &self.systems {
            writeln!(f, "\n{}\n{}", system.name, needs(system))?;
        }
        write!(f, "\n{}", Summary(&self.systems))?;
        if !self.wrote {
            write!(f, "\nNothing was written; --write sees more.")?;
        }
        Ok(())
    }
}

fn table<const COLUMNS: usize>(header: [&str; COLUMNS]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(WIDTH).set_header(header);
    table
}

fn show(f: &mut fmt::Formatter<'_>, minor: &Minor) -> fmt::Result {
    writeln!(f, "\nNFS 4.{}: {}", minor.minor, if minor.offered { "offered" } else { minor.status })?;
    if let Some(trouble) = &minor.trouble {
        writeln!(f, "NOT SEEN TO THE END: {trouble}")?;
    }
    if !minor.offered {
        return Ok(());
    }
    writeln!(f, "{}", notes(&minor.notes, "about"))?;
    let mut attributes = table(["attributes", "word", "names"]);
    rows(&mut attributes, "supported", &minor.supported_attrs);
    rows(&mut attributes, "exclusive creation", &minor.suppattr_exclcreat);
    writeln!(f, "{attributes}")
}

fn rows(table: &mut Table, what: &str, set: &AttributeSet) {
    for (word, names) in set.words().iter().enumerate() {
        table.add_row([what, &word.to_string(), &names.join(" ")]);
    }
}

fn notes(notes: &Notes, title: &str) -> Table {
    let mut table = table([title, "what", "seen"]);
    for fact in &notes.facts {
        table.add_row([fact.theme, fact.name, &fact.value]);
    }
    for finding in &notes.findings {
        let seen = match finding.seen {
            Seen::Yes => "yes",
            Seen::No => "NO",
            Seen::Unknown => "?",
        };
        table.add_row([seen, finding.feature.words(), &finding.detail]);
    }
    table
}

/// All operations, with a column for each minor version.
fn operations(minors: &[Minor]) -> Table {
    let mut table = table(["operation", "4.0", "4.1", "4.2"]);
    let names =
        minors.iter().max_by_key(|minor| minor.operations.len()).into_iter().flat_map(|minor| &minor.operations);
    for operation in names {
        let mut row = vec![operation.name.to_owned()];
        row.extend(minors.iter().map(|minor| {
            let found = minor.operations.iter().find(|found| found.name == operation.name);
            found.map_or_else(String::new, |found| match found.offer {
                Offer::Offered => format!("yes   {}", found.status),
                Offer::NotSupported => "no".into(),
                Offer::Illegal => "no    NFS4ERR_OP_ILLEGAL".into(),
                Offer::Unclear => format!("?     {}", found.status),
            })
        }));
        table.add_row(row);
    }
    table
}

fn needs(system: &System) -> Table {
    let mut table = table(["need", "verdict", "why"]);
    for need in &system.needs {
        table.add_row([need.what, &need.verdict.to_string(), &need.why]);
    }
    table
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Met => "met",
            Self::Missing => "MISSING",
            Self::NotSeen => "not seen",
        })
    }
}

/// The systems, one line each.
struct Summary<'a>(&'a [System]);

impl fmt::Display for Summary<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = table(["client system", "met", "missing", "not seen"]);
        for system in self.0 {
            let count = |verdict| system.needs.iter().filter(|need| need.verdict == verdict).count().to_string();
            let counts = [Verdict::Met, Verdict::Missing, Verdict::NotSeen].map(count);
            let [met, missing, not_seen] = counts;
            table.add_row([system.name.to_owned(), met, missing, not_seen]);
        }
        write!(f, "{table}")
    }
}
