//! Certification data of each type is described by its fields.

use sgx::{CertificationData, CertificationDataType};

fn described(data_type: u16, data: &[u8]) -> String {
    let data_type = CertificationDataType(data_type);
    CertificationData { data_type, data: data.to_vec() }.to_string()
}

/// A PPID of this size, CPUSVN, PCESVN 13 and PCE id.
fn reference(ppid: usize, pce_id: &[u8]) -> Vec<u8> {
    [&vec![0xaa; ppid][..], &[0xbb; 16], &[13, 0], pce_id].concat()
}

#[test]
fn ppid_and_tcb() {
    let (ppid, cpu_svn) = ("aa".repeat(16), "bb".repeat(16));
    assert_eq!(
        described(1, &reference(16, &[1, 0])),
        format!(
            "type    1 (PPID in the clear)\nPPID    {ppid}\nCPUSVN  {cpu_svn}\nPCESVN  13\n\
             PCE id  0100\n"
        )
    );
    assert_eq!(
        described(1, &reference(16, &[])),
        format!("type    1 (PPID in the clear)\nPPID    {ppid}\nCPUSVN  {cpu_svn}\nPCESVN  13\n")
    );
    for (data_type, size, bits) in [(2, 256, 2048), (3, 384, 3072)] {
        let ppid = "aa".repeat(size);
        assert_eq!(
            described(data_type, &reference(size, &[0, 0])),
            format!(
                "type            {data_type} (PPID encrypted with RSA-{bits})\n\
                 encrypted PPID  {ppid}\nCPUSVN          {cpu_svn}\nPCESVN          13\n\
                 PCE id          0000\n"
            )
        );
    }
}

#[test]
fn another_size_is_said_and_shown() {
    for (data_type, size) in [(1, 33), (1, 35), (1, 37), (2, 273), (3, 402), (3, 403), (3, 405)] {
        let text = described(data_type, &vec![7; size]);
        assert!(
            text.contains(&format!("unreadable  wrong size for this type: {size} bytes")),
            "{text}"
        );
        assert!(text.contains(&"07".repeat(size)), "{text}");
    }
}

#[test]
fn a_platform_manifest_has_a_size() {
    let text = described(7, &[7; 5_000]);
    assert_eq!(text, "type  7 (platform manifest)\nsize  5000 bytes\n");
}

#[test]
fn unknown_data_is_shown_as_it_is() {
    assert_eq!(described(99, &[7, 8]), "type  99 (unknown type)\ndata  0708\n");
}
