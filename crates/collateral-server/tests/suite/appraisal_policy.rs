//! `appraisalpolicy`: an administrator uploads policies, and anyone gets the default one.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use collateral_server::Mode;
use serde_json::{Value, json};

use crate::exchange::{get, request};
use crate::full::{ADMIN, Full, Home, V4, platform};

const SGX: &str = "3123ec35-8d38-4ea5-87a5-d6c48b567570";

/// A JWT with a policy of this class, as Intel's policy tool makes one with an invented signature.
fn policy(class_id: &str, name: &str) -> String {
    let payload = json!({"policy_array": [{"environment": {"class_id": class_id, "description": name},
        "reference": {"accepted_tcb_status": ["UpToDate"]}}]});
    let parts =
        [json!({"alg": "ES384", "typ": "JWT"}), json!({"policy_payload": payload.to_string()})];
    let parts = parts.map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
    format!("{}.{}.{}\n", parts[0], parts[1], URL_SAFE_NO_PAD.encode([1; 96]))
}

/// The body of `pccsadmin put -u …/appraisalpolicy [-d] -f FMSPC -i FILE`.
fn body(policy: &str, is_default: bool, fmspc: &str) -> Value {
    json!({"policy": policy, "is_default": is_default, "fmspc": fmspc})
}

async fn put(server: &Full, body: &Value) -> (u16, String) {
    let path = format!("{V4}/appraisalpolicy");
    let answer = request(server.address, "PUT", &path, &[ADMIN], body.to_string().as_bytes()).await;
    (answer.status, answer.text().to_owned())
}

async fn default(server: &Full, fmspc: &str) -> (u16, String) {
    let answer = get(server.address, &format!("{V4}/appraisalpolicy?fmspc={fmspc}")).await;
    (answer.status, answer.text().to_owned())
}

#[tokio::test]
async fn the_default_policy_of_an_fmspc_is_the_last_one_uploaded_as_default() {
    let home = Home::trusting(&platform());
    let server = home.serve(Mode::Offline, Vec::new()).await;
    assert_eq!(default(&server, "00906ED50000").await.0, 404);
    let (first, second) = (policy(SGX, "first"), policy(&SGX.to_uppercase(), "second"));
    let (status, id) = put(&server, &body(&first, true, "00906ed50000")).await;
    assert_eq!((status, id.len()), (200, 96));
    assert_eq!(put(&server, &body(&second, false, "00906ED50000")).await.0, 200);
    assert_eq!(put(&server, &body(&second, true, "00906ED50001")).await.0, 200);
    assert_eq!(default(&server, "00906ED50000").await, (200, first.clone()));
    assert_eq!(put(&server, &body(&second, true, "00906ED50000")).await.0, 200);
    assert_eq!(default(&server, "00906ed50000").await, (200, second.clone()));
    assert_eq!(put(&server, &body(&first, true, "00906ED50000")).await, (200, id));
    assert_eq!(default(&server, "00906ED50000").await, (200, first.clone()));
    assert_eq!(put(&server, &body(&first, false, "00906ED50000")).await.0, 200);
    assert_eq!(default(&server, "00906ED50000").await.0, 404);
    assert_eq!(default(&server, "00906ED50001").await, (200, second));
}

#[tokio::test]
async fn errors_of_a_policy_are_named() {
    let home = Home::trusting(&platform());
    let server = home.serve(Mode::Offline, Vec::new()).await;
    let good = policy(SGX, "good");
    let claims = |claims: &str| format!("e30.{}.e30", URL_SAFE_NO_PAD.encode(claims));
    for (body, word) in [
        (json!({}), "is_default"),
        (body(&good, true, "00"), "fmspc"),
        (json!({"policy": 1, "is_default": true, "fmspc": "00906ED50000"}), "in policy"),
        (body("x", true, "00906ED50000"), "policy is no JWT"),
        (body("x.?.x", true, "00906ED50000"), "base64url"),
        (body(&claims("{}"), true, "00906ED50000"), "policy_payload"),
        (body(&claims("{\"policy_payload\":\"{}\"}"), true, "00906ED50000"), "policy_array"),
        (body(&policy("x", ""), true, "00906ED50000"), "class_id"),
    ] {
        let (status, text) = put(&server, &body).await;
        assert!(status == 400 && text.contains(word), "{word}: {status} {text}");
    }
    assert_eq!(default(&server, "00906ED50000").await.0, 404);
    assert_eq!(default(&server, "").await.0, 400);
}
