//! The one thread that writes the journal.

use redb::Durability;

use super::failed;
use super::queue::{Rows, Shared};

/// Writes batch after batch until the journal closes or a write fails.
pub(super) fn run(shared: &Shared) {
    while let Some((rows, batch)) = shared.take() {
        let result = if rows.is_empty() { Ok(()) } else { write(shared, &rows).map_err(failed) };
        let poisoned = result.is_err();
        if let Err(error) = &result {
            tracing::error!(%error, "the journal cannot be written; nothing more will be acknowledged");
        }
        shared.finish(batch, result);
        if poisoned {
            return;
        }
    }
}

fn write(shared: &Shared, rows: &Rows) -> Result<(), redb::Error> {
    let mut write = shared.database.begin_write()?;
    write.set_durability(Durability::Immediate)?;
    let mut places = rows.iter().peekable();
    while let Some(((table, _), _)) = places.peek() {
        let table = *table;
        let mut open = write.open_table(table.definition())?;
        while let Some(((_, key), value)) = places.next_if(|((of, _), _)| *of == table) {
            match value {
                Some(value) => drop(open.insert(key.as_slice(), value.as_slice())?),
                None => drop(open.remove(key.as_slice())?),
            }
        }
    }
    write.commit()?;
    Ok(())
}
