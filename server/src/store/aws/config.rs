//! From what the operator says to a client of the SDK.

use std::fmt;
use std::time::Duration;

use aws_config::meta::region::RegionProviderChain;
use aws_config::{BehaviorVersion, Region};
use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{
    Credentials, ProvideCredentials, RequestChecksumCalculation, ResponseChecksumValidation,
    StalledStreamProtectionConfig,
};
use thiserror::Error;

/// The region that is signed for where nobody names one.
const REGION_DEFAULT: &str = "us-east-1";

/// Where a store is and how to be let in.
#[derive(Debug, Clone, Default)]
pub struct S3Config {
    /// `http://` or `https://` and host, with a port where needed; `None` is AWS itself.
    pub endpoint: Option<String>,
    /// The region to sign for; `None` is us-east-1 at an endpoint, and what the environment says on AWS.
    pub region: Option<String>,
    /// Keys; `None` is the AWS provider chain (environment, profile, instance or container role).
    pub keys: Option<StaticKeys>,
    /// Whether the bucket's name goes before the host's (`bucket.host`) also at an endpoint. On AWS it always does.
    pub virtual_host: bool,
    /// How long requests may take.
    pub timeouts: Timeouts,
}

/// Keys given by the operator. `Debug` shows no secret.
#[derive(Clone)]
pub struct StaticKeys {
    /// The access key's id.
    pub access_key: String,
    /// The secret.
    pub secret_key: String,
    /// A session token, with temporary keys.
    pub session_token: Option<String>,
}

impl fmt::Debug for StaticKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StaticKeys").field("access_key", &self.access_key).finish_non_exhaustive()
    }
}

/// How long requests may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Until a connection stands.
    pub connect: Duration,
    /// Until a request without a body is answered.
    pub request: Duration,
    /// What a body may add: at least so many bytes per second must flow.
    pub bytes_per_second_min: u64,
    /// Until the store has copied an object or put parts together.
    pub copy: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            request: Duration::from_secs(30),
            bytes_per_second_min: 256 * 1024,
            copy: Duration::from_secs(600),
        }
    }
}

impl Timeouts {
    /// The time for a request with `bytes` of body either way.
    pub(super) fn for_bytes(&self, bytes: u64) -> Duration {
        self.request.saturating_add(Duration::from_secs(bytes / self.bytes_per_second_min.max(1)))
    }
}

/// Why no client could be made.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ConnectError {
    /// The endpoint is not `http://host[:port]` or `https://host[:port]`.
    #[error("the endpoint must be http://HOST[:PORT] or https://HOST[:PORT], {0}")]
    Endpoint(&'static str),
    /// No keys were given and the AWS provider chain has none.
    #[error("no credentials: give an access key and a secret key, or set up the AWS provider chain ({0})")]
    NoCredentials(String),
}

/// A client, and the region it signs for.
pub(super) async fn client(config: &S3Config) -> Result<(Client, String), ConnectError> {
    let mut loader = aws_config::defaults(BehaviorVersion::latest()).region(region(config));
    if let Some(keys) = &config.keys {
        let token = keys.session_token.clone();
        loader = loader.credentials_provider(Credentials::new(
            &keys.access_key,
            &keys.secret_key,
            token,
            None,
            "configuration",
        ));
    }
    if let Some(endpoint) = &config.endpoint {
        loader = loader.endpoint_url(checked_endpoint(endpoint)?);
    }
    let shared = loader.load().await;
    check_credentials(&shared).await?;
    let signed_region = shared.region().map_or(REGION_DEFAULT, AsRef::as_ref).to_owned();
    let s3 = aws_sdk_s3::config::Builder::from(&shared)
        .force_path_style(config.endpoint.is_some() && !config.virtual_host)
        .retry_config(RetryConfig::disabled())
        .timeout_config(TimeoutConfig::builder().connect_timeout(config.timeouts.connect).build())
        // The time limits of this store cover bodies too, in both directions.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
        .build();
    Ok((Client::from_conf(s3), signed_region))
}

fn region(config: &S3Config) -> RegionProviderChain {
    match (&config.region, &config.endpoint) {
        (Some(region), _) => RegionProviderChain::first_try(Region::new(region.clone())),
        // Away from AWS there is no instance to ask for its region.
        (None, Some(_)) => RegionProviderChain::first_try(Region::from_static(REGION_DEFAULT)),
        (None, None) => RegionProviderChain::default_provider().or_else(Region::from_static(REGION_DEFAULT)),
    }
}

/// Keys that are missing should stop a start, not the first request.
async fn check_credentials(shared: &aws_config::SdkConfig) -> Result<(), ConnectError> {
    let Some(provider) = shared.credentials_provider() else {
        return Err(ConnectError::NoCredentials("there is no provider".to_owned()));
    };
    match provider.provide_credentials().await {
        Ok(_) => Ok(()),
        Err(error) => Err(ConnectError::NoCredentials(super::errors::causes(&error))),
    }
}

/// The endpoint without a closing slash. The message never repeats it: someone may have put keys there.
fn checked_endpoint(endpoint: &str) -> Result<&str, ConnectError> {
    let endpoint = endpoint.trim_end_matches('/');
    let Some(authority) = endpoint.strip_prefix("http://").or_else(|| endpoint.strip_prefix("https://")) else {
        return Err(ConnectError::Endpoint("this one begins otherwise"));
    };
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    };
    if host.is_empty() {
        return Err(ConnectError::Endpoint("this one has no host"));
    }
    if authority.contains('@') {
        return Err(ConnectError::Endpoint("keys are given apart"));
    }
    if authority.contains(['/', '?', '#']) || authority.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err(ConnectError::Endpoint("nothing may follow the host and port"));
    }
    match port.map(str::parse::<u16>) {
        None | Some(Ok(1..)) => Ok(endpoint),
        Some(_) => Err(ConnectError::Endpoint("this one's port is none")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_checked_and_never_repeated() {
        for good in
            ["http://s3:9000", "https://s3.example", "http://127.0.0.1:9000/", "http://[::1]:9000", "http://[::1]"]
        {
            assert_eq!(checked_endpoint(good), Ok(good.trim_end_matches('/')), "{good}");
        }
        for bad in
            ["s3:9000", "ftp://s3", "http://", "http://:9000", "http://k:SECRET@s3", "http://s3/SECRET", "http://s3:0"]
        {
            let message = checked_endpoint(bad).map_err(|error| error.to_string());
            assert!(message.as_ref().is_err_and(|text| !text.contains("SECRET")), "{bad} gave {message:?}");
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let keys =
            StaticKeys { access_key: "AK".into(), secret_key: "SECRET".into(), session_token: Some("TOKEN".into()) };
        let config = S3Config { keys: Some(keys), ..S3Config::default() };
        let text = format!("{config:?}");
        assert!(text.contains("AK") && !text.contains("SECRET") && !text.contains("TOKEN"), "{text}");
    }

    #[test]
    fn long_bodies_get_more_time() {
        let timeouts = Timeouts { request: Duration::from_secs(10), bytes_per_second_min: 1000, ..Timeouts::default() };
        assert_eq!(timeouts.for_bytes(0), Duration::from_secs(10));
        assert_eq!(timeouts.for_bytes(60_000), Duration::from_secs(70));
        assert!(timeouts.for_bytes(u64::MAX) > Duration::from_secs(70));
    }

    #[tokio::test]
    async fn a_client_needs_no_store_to_be_made() {
        let keys = StaticKeys { access_key: "AK".into(), secret_key: "SK".into(), session_token: None };
        let config = S3Config { endpoint: Some("http://127.0.0.1:1".into()), keys: Some(keys), ..S3Config::default() };
        let (_, region) = client(&config).await.unwrap();
        assert_eq!(region, REGION_DEFAULT);
    }
}
