//! When the object below a content goes elsewhere, or away.

use std::sync::Arc;

use super::{BaseObject, Content};

impl Content {
    /// The object below was copied, byte for byte: `to` takes the place of `from`. Whether `from` was the one below.
    /// The journal does not know before the next [`Content::sync`].
    pub fn relocate(&self, from: &BaseObject, to: BaseObject) -> bool {
        let mut state = self.shared.state.lock();
        if state.base.as_deref() != Some(from) {
            return false;
        }
        state.base = Some(Arc::new(to));
        state.moves += 1;
        if !state.is_dirty() {
            state.journaled = Some(state.record());
        }
        true
    }

    /// The object below is lost: what was not written since shows the bytes of `to` as far as it reaches, or zeros.
    pub fn replace_base(&self, to: Option<BaseObject>) {
        let mut state = self.shared.state.lock();
        state.base_len = to.as_ref().map_or(0, |base| state.base_len.min(base.size));
        state.base = to.map(Arc::new);
        state.generation += 1;
        state.moves += 1;
    }
}
