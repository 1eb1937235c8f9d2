//! The whole server, with sources that tests control.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use collateral::PcsKind;
use collateral::settings::{
    CacheSettings, Origin, Retry, Serves, ServiceSettings, ServiceUrl, Settings, SourceSettings,
    TrustSettings,
};
use collateral_server::{
    Mode, Options, Refresher, Server, ServerError, SoftwareCollateral, TokenHash, Tokens,
};
use parking_lot::Mutex;
use software_platform::{
    CertificationKind, Deployment, MachineSecret, SoftwarePlatform, SubjectNames,
};
use tempfile::TempDir;
use time::OffsetDateTime;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

pub(crate) const V4: &str = "/sgx/certification/v4";
pub(crate) const USER: (&str, &str) = ("user-token", "a user");
pub(crate) const ADMIN: (&str, &str) = ("admin-token", "an administrator");

/// SHA-512 of the tokens.
const USER_HASH: &str = "663a239c6566a928009e40f82ed1ffe3883412758af477f1d17e373a283227c3\
    582220424635bb0a1763b2d13883dd15175485575532b89deb8ca5f6bcb255cf";
const ADMIN_HASH: &str = "5a3b2e7c69b573515e105a5d7790e2fdb8e2c3a998b1d562e9a75a67ef44c7c0\
    b9ab661432e5da29b2daeaf8230c174c43d1e3ad58210c3bdb3b5a525f4bc00a";

/// The time at which all deployments of this process were made: yesterday. Deployments of
/// different seconds have different roots.
static MADE: LazyLock<OffsetDateTime> =
    LazyLock::new(|| OffsetDateTime::now_utc().saturating_sub(time::Duration::DAY));

/// A platform.
pub(crate) fn platform() -> Arc<SoftwarePlatform> {
    machine([9; 32])
}

/// The platform with this secret, of the same deployment.
pub(crate) fn machine(secret: [u8; 32]) -> Arc<SoftwarePlatform> {
    let deployment = Deployment::from_seed([8; 32], SubjectNames::Software, *MADE).unwrap();
    let platform = SoftwarePlatform::new(deployment, MachineSecret::from_bytes(secret)).unwrap();
    Arc::new(platform.certified_by(CertificationKind::EncryptedPpid).unwrap())
}

/// The request for the PCK certificate of the platform.
pub(crate) fn pck_request(platform: &SoftwarePlatform) -> String {
    let (subject, ppid) = (platform.pck_subject(), platform.encrypted_ppid());
    format!(
        "{V4}/pckcert?qeid={}&encrypted_ppid={}&cpusvn={}&pcesvn={}&pceid=0000",
        hex::encode_upper(platform.qe_id()),
        hex::encode(ppid),
        subject.cpu_svn,
        hex::encode(subject.pce_svn.to_le_bytes())
    )
}

/// A source of the server that a test controls.
pub(crate) struct Upstream {
    pub(crate) address: SocketAddr,
    pub(crate) asked: Arc<AtomicU32>,
    pub(crate) api_keys: Arc<Mutex<Vec<String>>>,
    is_down: Arc<AtomicBool>,
    _stop: oneshot::Sender<()>,
}

impl Upstream {
    /// A service with the collateral of this platform.
    pub(crate) async fn of(platform: &Arc<SoftwarePlatform>) -> Self {
        let source = SoftwareCollateral::new(Arc::clone(platform), OffsetDateTime::now_utc);
        Self::with(collateral_server::router(Arc::new(source))).await
    }

    /// A service with these responses, each after 20 ms.
    pub(crate) async fn with(router: Router) -> Self {
        let (asked, is_down) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicBool::new(false)));
        let api_keys = Arc::new(Mutex::new(Vec::new()));
        let (count, down, keys) = (Arc::clone(&asked), Arc::clone(&is_down), Arc::clone(&api_keys));
        let watch = middleware::from_fn(move |request: Request, next: Next| {
            count.fetch_add(1, Ordering::SeqCst);
            if let Some(key) = request.headers().get("ocp-apim-subscription-key") {
                keys.lock().push(key.to_str().unwrap().to_owned());
            }
            let is_down = down.load(Ordering::SeqCst);
            async move {
                tokio::time::sleep(Duration::from_millis(20)).await;
                match is_down {
                    true => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
                    false => next.run(request).await,
                }
            }
        });
        let (address, stop) = serve(router.layer(watch)).await;
        Self { address, asked, api_keys, is_down, _stop: stop }
    }

    pub(crate) fn asked(&self) -> u32 {
        self.asked.load(Ordering::SeqCst)
    }

    /// Makes all requests fail with status 500, or not.
    pub(crate) fn set_down(&self, is_down: bool) {
        self.is_down.store(is_down, Ordering::SeqCst);
    }

    /// The server's settings of this source.
    pub(crate) fn source(&self, kind: PcsKind, serves: Serves) -> SourceSettings {
        SourceSettings::Service(ServiceSettings {
            kind,
            url: ServiceUrl::parse(&format!("http://{}", self.address)).unwrap(),
            serves,
            trust: TrustSettings::System,
            api_key_file: None,
            headers: Vec::new(),
            parameters: Vec::new(),
        })
    }

    pub(crate) fn pccs(&self) -> SourceSettings {
        self.source(PcsKind::Pccs, Serves::Everything)
    }
}

/// The whole server.
pub(crate) struct Full {
    pub(crate) address: SocketAddr,
    pub(crate) metrics: SocketAddr,
    _refresher: Refresher,
    _stop: [oneshot::Sender<()>; 2],
}

/// A directory for a server's state, and the root that the server trusts.
pub(crate) struct Home {
    pub(crate) directory: TempDir,
}

impl Home {
    /// Trusts the root of this platform.
    pub(crate) fn trusting(platform: &SoftwarePlatform) -> Self {
        Self::trusting_root(platform.root_certificate().pem())
    }

    pub(crate) fn trusting_root(pem: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("root.pem"), pem).unwrap();
        std::fs::write(directory.path().join("user"), USER_HASH).unwrap();
        std::fs::write(directory.path().join("admin"), ADMIN_HASH).unwrap();
        Self { directory }
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn open(
        &self,
        mode: Mode,
        sources: Vec<SourceSettings>,
    ) -> Result<Server, ServerError> {
        let settings = Settings {
            sources,
            origin: Origin::Flags,
            cache: CacheSettings {
                directory: Some(self.path().join("state/cache")),
                max_size: 64 * 1024 * 1024,
                pck_max_age: None,
                collateral_max_age: None,
            },
            timeout: Duration::from_secs(5),
            retry: Retry { times: 0, delay: Some(Duration::from_millis(1)) },
            evaluation: collateral::TcbUpdate::Standard,
            collateral_form: None,
            trusted_root: Some(self.path().join("root.pem")),
            log_level: None,
            notes: Vec::new(),
        };
        let tokens = Tokens {
            user: Some(TokenHash::read(&self.path().join("user")).unwrap()),
            admin: Some(TokenHash::read(&self.path().join("admin")).unwrap()),
        };
        let state_dir = self.path().join("state");
        Server::open(Options { mode, state_dir, settings, tokens })
    }

    pub(crate) async fn serve(&self, mode: Mode, sources: Vec<SourceSettings>) -> Full {
        let server = self.open(mode, sources).unwrap();
        let (address, stop) = serve(server.router()).await;
        let (metrics, stop_metrics) = serve(server.metrics_router()).await;
        let refresher = server.start_refreshing().unwrap();
        Full { address, metrics, _refresher: refresher, _stop: [stop, stop_metrics] }
    }
}

/// A service with the collateral of the platform, and a server in mode lazy that uses it.
pub(crate) async fn lazy(platform: &Arc<SoftwarePlatform>) -> (Upstream, Home, Full) {
    let (upstream, home) = (Upstream::of(platform).await, Home::trusting(platform));
    let server = home.serve(Mode::Lazy, vec![upstream.pccs()]).await;
    (upstream, home, server)
}

/// Serves until the sender is dropped.
pub(crate) async fn serve(router: Router) -> (SocketAddr, oneshot::Sender<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopping) = oneshot::channel();
    let stopped = async { stopping.await.unwrap_or_default() };
    tokio::spawn(http_server::serve(listener, router, stopped));
    (address, stop)
}

/// A response with status 200 and these headers.
pub(crate) fn answer(headers: &[(&'static str, String)], body: String) -> Response {
    let mut response = body.into_response();
    for (name, value) in headers {
        response.headers_mut().insert(*name, value.parse().unwrap());
    }
    response
}

/// The generator of P-256, as a public key.
const PUBLIC_KEY: &str = "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296\
    4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";

/// A PCK certificate of this platform for another PCESVN: TCBm in hexadecimal, and URL-encoded PEM.
pub(crate) fn certificate_at(platform: &SoftwarePlatform, pce_svn: u16) -> (String, String) {
    let subject = software_platform::PckSubject { pce_svn, ..platform.pck_subject() };
    let mut public_key = [0; 64];
    hex::decode_to_slice(PUBLIC_KEY, &mut public_key).unwrap();
    let certificate = platform.deployment().certify_pck(&subject, &public_key).unwrap();
    let tcbm = [&subject.cpu_svn.0[..], &pce_svn.to_le_bytes()].concat();
    (hex::encode_upper(tcbm), url_encoded(certificate.leaf().pem()))
}

pub(crate) fn url_encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}
