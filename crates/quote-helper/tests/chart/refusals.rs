//! Wrong values are refused, with a message that helps.

use serde_json::{Value, json};

use crate::helm::template;

#[track_caller]
fn assert_refused(values: &Value, message: &str) {
    let error = template("sgx", "1.36", values).expect_err(&values.to_string());
    assert!(error.contains(message), "{values}: {error}");
}

#[test]
#[ignore = "it needs Helm: just chart-test"]
fn values_of_the_wrong_form_are_refused() {
    for (values, message) in [
        (json!({ "enableSGXQuoteHelper": true }), "'enableSGXQuoteHelper' not allowed"),
        (json!({ "namespace": "sgx" }), "'namespace' not allowed"),
        (json!({ "platform": "simulation" }), "'dcap', 'software'"),
        (json!({ "hostPid": "yes" }), "at '/hostPid': got string, want boolean"),
        (json!({ "firstUid": 0 }), "at '/firstUid': minimum: got 0, want 1,000"),
        (json!({ "pccsUrl": "pccs:8081" }), "at '/pccsUrl': 'pccs:8081' does not match"),
        (json!({ "tolerations": ["pool"] }), "at '/tolerations/0': got string, want object"),
        (json!({ "nodeSelector": { "pool": 1 } }), "at '/nodeSelector/pool': got number"),
    ] {
        assert_refused(&values, message);
    }
}

#[test]
#[ignore = "it needs Helm: just chart-test"]
fn values_that_contradict_each_other_are_refused() {
    for (values, message) in [
        (json!({ "pccsMode": "offline" }), "set enablePccs, too"),
        (json!({ "pccsCa": "PEM" }), "set pccsUrl, too"),
        (json!({ "deployment": "{}" }), "set both"),
        (json!({ "softwareEpc": "1GiB" }), "set platform=software, too"),
        (json!({ "enablePccs": true, "platform": "software" }), "set enableSgxquotehelper, too"),
        (json!({ "resourceProfile": "azure,intel" }), "give all but one a size"),
        (json!({ "resourceProfile": "azure=1Gi,azure" }), "two shares"),
    ] {
        assert_refused(&values, message);
    }
}
