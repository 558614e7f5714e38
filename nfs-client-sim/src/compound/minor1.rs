//! The operations that 4.1 added.

use nfs4_protocol::nfs4::{
    BackchannelCtl4Args, BindConnToSession4Args, ChannelDirFromClient4, CreateSession4Args, DestroyClientid4Args,
    DestroySession4Args, ExchangeId4Args, FreeStateid4Args, GetDirDelegation4Args, Getdeviceinfo4Args,
    Getdevicelist4Args, Layoutcommit4Args, Layoutget4Args, Layoutreturn4Args, NfsArgop4, ReclaimComplete4Args,
    SecinfoStyle4, Sequence4Args, Sessionid4, SetSsv4Args, Stateid4, TestStateid4Args, WantDelegation4Args,
};

use super::CompoundBuilder;

impl CompoundBuilder {
    /// SEQUENCE. [`Client::call`](crate::Client::call) puts one in front by itself.
    #[must_use]
    pub fn sequence(self, args: Sequence4Args) -> Self {
        self.op(NfsArgop4::Sequence(args))
    }

    /// RECLAIM_COMPLETE for all file systems.
    #[must_use]
    pub fn reclaim_complete(self) -> Self {
        self.op(NfsArgop4::ReclaimComplete(ReclaimComplete4Args { one_fs: false }))
    }

    /// BACKCHANNEL_CTL.
    #[must_use]
    pub fn backchannel_ctl(self, args: BackchannelCtl4Args) -> Self {
        self.op(NfsArgop4::BackchannelCtl(Box::new(args)))
    }

    /// EXCHANGE_ID.
    #[must_use]
    pub fn exchange_id(self, args: ExchangeId4Args) -> Self {
        self.op(NfsArgop4::ExchangeId(Box::new(args)))
    }

    /// CREATE_SESSION.
    #[must_use]
    pub fn create_session(self, args: CreateSession4Args) -> Self {
        self.op(NfsArgop4::CreateSession(Box::new(args)))
    }

    /// DESTROY_SESSION.
    #[must_use]
    pub fn destroy_session(self, sessionid: Sessionid4) -> Self {
        self.op(NfsArgop4::DestroySession(DestroySession4Args { sessionid }))
    }

    /// DESTROY_CLIENTID.
    #[must_use]
    pub fn destroy_clientid(self, clientid: u64) -> Self {
        self.op(NfsArgop4::DestroyClientid(DestroyClientid4Args { clientid }))
    }

    /// FREE_STATEID.
    #[must_use]
    pub fn free_stateid(self, stateid: Stateid4) -> Self {
        self.op(NfsArgop4::FreeStateid(FreeStateid4Args { stateid }))
    }

    /// TEST_STATEID.
    #[must_use]
    pub fn test_stateid(self, stateids: Vec<Stateid4>) -> Self {
        self.op(NfsArgop4::TestStateid(TestStateid4Args { stateids }))
    }

    /// GET_DIR_DELEGATION.
    #[must_use]
    pub fn get_dir_delegation(self, args: GetDirDelegation4Args) -> Self {
        self.op(NfsArgop4::GetDirDelegation(Box::new(args)))
    }

    /// WANT_DELEGATION.
    #[must_use]
    pub fn want_delegation(self, args: WantDelegation4Args) -> Self {
        self.op(NfsArgop4::WantDelegation(Box::new(args)))
    }

    /// GETDEVICEINFO.
    #[must_use]
    pub fn getdeviceinfo(self, args: Getdeviceinfo4Args) -> Self {
        self.op(NfsArgop4::Getdeviceinfo(args))
    }

    /// GETDEVICELIST.
    #[must_use]
    pub fn getdevicelist(self, args: Getdevicelist4Args) -> Self {
        self.op(NfsArgop4::Getdevicelist(args))
    }

    /// LAYOUTGET.
    #[must_use]
    pub fn layoutget(self, args: Layoutget4Args) -> Self {
        self.op(NfsArgop4::Layoutget(Box::new(args)))
    }

    /// LAYOUTCOMMIT.
    #[must_use]
    pub fn layoutcommit(self, args: Layoutcommit4Args) -> Self {
        self.op(NfsArgop4::Layoutcommit(Box::new(args)))
    }

    /// LAYOUTRETURN.
    #[must_use]
    pub fn layoutreturn(self, args: Layoutreturn4Args) -> Self {
        self.op(NfsArgop4::Layoutreturn(Box::new(args)))
    }

    /// SECINFO_NO_NAME.
    #[must_use]
    pub fn secinfo_no_name(self, style: SecinfoStyle4) -> Self {
        self.op(NfsArgop4::SecinfoNoName(style))
    }

    /// SET_SSV.
    #[must_use]
    pub fn set_ssv(self, args: SetSsv4Args) -> Self {
        self.op(NfsArgop4::SetSsv(Box::new(args)))
    }

    /// BIND_CONN_TO_SESSION, without RDMA.
    #[must_use]
    pub fn bind_conn_to_session(self, sessid: Sessionid4, dir: ChannelDirFromClient4) -> Self {
        let args = BindConnToSession4Args { sessid, dir, use_conn_in_rdma_mode: false };
        self.op(NfsArgop4::BindConnToSession(Box::new(args)))
    }
}
