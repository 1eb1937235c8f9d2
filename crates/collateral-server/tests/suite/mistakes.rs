//! Invalid requests have a status of 4xx in every mode, even if the sources fail.

use axum::Router;
use axum::http::StatusCode;
use collateral::PcsKind;
use collateral::settings::Serves;
use collateral_server::Mode;
use serde_json::json;
use software_platform::SoftwarePlatform;

use crate::exchange;
use crate::exchange::request;
use crate::full::{ADMIN, Full, Home, USER, Upstream, V4, pck_request, platform};
use crate::upload::{body, collateral, registration};

/// Invalid requests, with their status and a word of the response.
fn mistakes(platform: &SoftwarePlatform) -> Vec<(&'static str, String, String, u16, &'static str)> {
    let get = |path: &str, status, word| ("GET", path.to_owned(), String::new(), status, word);
    let file = collateral(platform, &json!([registration(platform)]));
    let without_tcb_info = body(&file).replace("sgx_tcbinfo", "other");
    let version_3 = body(&file).replace("sgx_tcbinfo", "tcbinfo");
    vec![
        get("/nothing", 404, "/nothing"),
        get("/sgx/certification/v3/tcb?fmspc=534F46545752", 410, "v4"),
        get(&format!("{V4}/pckcert?qeid=0"), 400, "cpusvn"),
        get(&format!("{V4}/pckcert?qeid="), 400, "qeid"),
        get(&format!("{V4}/pckcrl?ca=x"), 400, "platform or processor"),
        get(&format!("{V4}/pckcrl?uri=x"), 400, "uri"),
        get(&format!("{V4}/crl?uri=x"), 400, "uri"),
        get(&format!("{V4}/tcb?fmspc=1"), 400, "fmspc"),
        get(&format!("{V4}/tcb?fmspc=534F46545752&update=all"), 400, "update"),
        get(&format!("{V4}/qe/identity?tcbEvaluationDataNumber=x"), 400, "tcbEvaluationDataNumber"),
        get(&format!("{V4}/appraisalpolicy"), 400, "fmspc"),
        get(&format!("{V4}/platforms?source=x"), 400, "source"),
        get(&format!("{V4}/refresh?type=x"), 400, "type"),
        ("POST", format!("{V4}/platforms"), "{}".to_owned(), 400, "qe_id"),
        ("PUT", format!("{V4}/platformcollateral"), "{}".to_owned(), 400, "collaterals"),
        ("PUT", format!("{V4}/platformcollateral"), without_tcb_info, 400, "sgx_tcbinfo"),
        ("PUT", format!("{V4}/platformcollateral"), version_3, 400, "version 3"),
        ("PUT", format!("{V4}/appraisalpolicy"), "{}".to_owned(), 400, "is_default"),
        ("DELETE", format!("{V4}/platforms"), String::new(), 405, ""),
    ]
}

async fn check(server: &Full, platform: &SoftwarePlatform, mode: Mode) {
    for (method, path, body, status, word) in mistakes(platform) {
        let headers = [ADMIN, USER];
        let answer = request(server.address, method, &path, &headers, body.as_bytes()).await;
        let text = answer.text();
        assert!(
            answer.status == status && text.contains(word),
            "{mode:?} {method} {path}: {} {text}",
            answer.status
        );
    }
}

/// A source that answers every request with this status.
async fn source_with(status: StatusCode) -> Upstream {
    Upstream::with(Router::new().fallback(async move || status)).await
}

#[tokio::test]
async fn mistakes_of_callers_are_4xx() {
    let platform = platform();
    let down = source_with(StatusCode::INTERNAL_SERVER_ERROR).await;
    for mode in [Mode::Lazy, Mode::Req, Mode::Offline] {
        let home = Home::trusting(&platform);
        let server = home.serve(mode, vec![down.pccs()]).await;
        check(&server, &platform, mode).await;
    }
}

#[tokio::test]
async fn errors_of_a_source_keep_their_class() {
    let platform = platform();
    let register = format!("{V4}/platforms");
    let form = registration(&platform).to_string();
    let by_manifest = json!({"qe_id": "node-1", "pce_id": "0000", "platform_manifest": "00"});
    for (of_source, kind, expected) in [
        (StatusCode::BAD_REQUEST, PcsKind::Pccs, 400),
        (StatusCode::BAD_REQUEST, PcsKind::Pcs, 400),
        (StatusCode::NOT_FOUND, PcsKind::Pcs, 404),
        (StatusCode::GONE, PcsKind::Pccs, 404),
        (StatusCode::INTERNAL_SERVER_ERROR, PcsKind::Pccs, 502),
    ] {
        let source = source_with(of_source).await;
        let home = Home::trusting(&platform);
        let source = source.source(kind, Serves::Everything);
        let server = home.serve(Mode::Lazy, vec![source]).await;
        let post = async |form: &str| {
            request(server.address, "POST", &register, &[USER], form.as_bytes()).await.status
        };
        assert_eq!(post(&form).await, expected, "{of_source} {kind:?}");
        let of_manifest = if kind == PcsKind::Pccs { 404 } else { expected };
        assert_eq!(post(&by_manifest.to_string()).await, of_manifest, "{of_source} {kind:?}");
        let asked = exchange::get(server.address, &pck_request(&platform)).await;
        assert_eq!(asked.status, expected, "{of_source} {kind:?}: {}", asked.text());
    }
}
