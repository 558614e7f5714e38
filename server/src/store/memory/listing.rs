//! Pages of a listing in memory.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::{Object, after_prefix};
use crate::store::{ListPage, ListRequest, StoreError, StoreResult};

/// One page; the token names the last entry of the page before and what it was.
pub(super) fn page(objects: &BTreeMap<String, Object>, request: &ListRequest) -> StoreResult<ListPage> {
    let limit = usize::from(request.max_keys.clamp(1, 1000));
    let mut page = ListPage::default();
    let mut from = start(request)?;
    let mut last = None;
    while let Some((key, object)) = objects.range::<String, _>((from, Bound::Unbounded)).next() {
        let Some(rest) = key.strip_prefix(request.prefix.as_str()) else { break };
        if page.objects.len() + page.prefixes.len() == limit {
            page.next = last;
            break;
        }
        match rest.split_once('/').filter(|_| request.delimited) {
            Some((component, _)) => {
                let prefix = format!("{}{component}/", request.prefix);
                from = after_prefix(&prefix);
                last = Some(format!("p{prefix}"));
                page.prefixes.push(prefix);
            }
            None => {
                from = Bound::Excluded(key.clone());
                last = Some(format!("k{key}"));
                page.objects.push(object.info(key));
            }
        }
    }
    Ok(page)
}

/// The page as a client sees it that takes plus signs for spaces.
pub(super) fn with_spaces(mut page: ListPage) -> ListPage {
    for object in &mut page.objects {
        object.key = object.key.replace('+', " ");
    }
    for prefix in &mut page.prefixes {
        *prefix = prefix.replace('+', " ");
    }
    page
}

/// Where the walk begins: at the prefix or later.
fn start(request: &ListRequest) -> StoreResult<Bound<String>> {
    if let Some(token) = &request.continuation {
        if let Some(prefix) = token.strip_prefix('p') {
            return Ok(after_prefix(prefix));
        }
        let bad = || StoreError::Refused("no such continuation token".to_owned());
        return Ok(Bound::Excluded(token.strip_prefix('k').ok_or_else(bad)?.to_owned()));
    }
    match &request.start_after {
        Some(key) if *key >= request.prefix => Ok(Bound::Excluded(key.clone())),
        _ => Ok(Bound::Included(request.prefix.clone())),
    }
}
