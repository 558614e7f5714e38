//! Returning delegations.

use std::sync::Arc;

use super::OpenState;
use crate::client::Request;
use crate::{Client, CompoundBuilder, Result};

impl Client {
    /// DELEGRETURN, if the file has a delegation. Nothing is cached under it, so nothing has to be written before.
    pub(crate) async fn return_delegation(&self, file: &Arc<OpenState>) -> Result<()> {
        let Some(delegation) = file.take_delegation() else { return Ok(()) };
        let build = || CompoundBuilder::new().putfh(&file.handle).delegreturn(delegation.stateid);
        self.settle(Request { build: &build, note: &|_| {}, files: &[] }).await?.reply.delegreturn()
    }
}
