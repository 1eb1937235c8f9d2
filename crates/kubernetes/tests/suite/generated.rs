//! The committed gRPC code is generated from the `.proto` files. `WRITE_GENERATED=1` rewrites it.
use std::path::Path;

#[test]
fn the_committed_code_is_generated_from_the_proto_files() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = ["device_plugin.proto", "pod_resources.proto"];
    let descriptions = protox::compile(files, [root.join("proto")]).expect("protocol files");
    let written = tempfile::tempdir().expect("a directory for the generated code");
    tonic_prost_build::configure()
        .disable_comments(["."])
        .codec_path("crate::api::CountedCodec")
        .build_client(false)
        .out_dir(written.path())
        .compile_fds(descriptions)
        .expect("code for the protocol files");
    for name in ["v1.rs", "v1beta1.rs"] {
        let generated = read(&written.path().join(name));
        let committed = root.join("src/api").join(name);
        if std::env::var_os("WRITE_GENERATED").is_some() {
            std::fs::write(&committed, &generated).expect("a writable source tree");
        }
        assert!(
            read(&committed) == generated,
            "{} is not what the .proto files say; run `just generate`",
            committed.display()
        );
    }
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
