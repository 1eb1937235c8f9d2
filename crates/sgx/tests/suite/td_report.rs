//! TD reports: their sizes, their offsets, and what is said of them.

use sgx::{FromBytes, IntoBytes, TdAttributes, TdReport10, TdReport15, TdReport15Ex, U64};

fn counting<const N: usize>() -> [u8; N] {
    std::array::from_fn(|index| (index / 8) as u8)
}

#[test]
fn fields_are_at_the_offsets_of_intels_headers() {
    let bytes = counting::<885>();
    let report = TdReport15Ex::read_from_bytes(&bytes).unwrap();
    let td = &report.base.base;
    let fields: [(usize, &[u8]); 17] = [
        (0, &td.tee_tcb_svn.0),
        (16, &td.mr_seam.0),
        (64, &td.mr_signer_seam.0),
        (112, &td.seam_attributes),
        (120, td.td_attributes.as_bytes()),
        (128, td.xfam.as_bytes()),
        (136, &td.mr_td.0),
        (184, &td.mr_config_id.0),
        (232, &td.mr_owner.0),
        (280, &td.mr_owner_config.0),
        (328, td.rtmr.as_bytes()),
        (520, &td.report_data.0),
        (584, &report.base.tee_tcb_svn_2.0),
        (600, &report.base.mr_service_td.0),
        (649, &report.td_id),
        (681, &report.device_info.0),
        (877, report.current_service_td_attributes.as_bytes()),
    ];
    for (offset, field) in fields {
        assert_eq!(field, &bytes[offset..offset + field.len()], "at {offset}");
    }
    assert_eq!(size_of::<TdReport10>(), 584);
    assert_eq!(size_of::<TdReport15>(), 648);
}

#[test]
fn attributes_are_named() {
    let attributes = |bits| TdAttributes(U64::new(bits));
    assert_eq!(attributes(0).to_string(), "0x0");
    assert_eq!(attributes(0x1000_0001).to_string(), "0x10000001 (DEBUG SEPT_VE_DISABLE)");
    assert_eq!(
        attributes(1 << 29 | 1 << 63).to_string(),
        "0x8000000020000000 (MIGRATABLE PERFMON)"
    );
    for bits in [1, 1 << 4, 1 << 5, 1 << 6] {
        assert!(attributes(bits).is_debug(), "{bits}");
    }
    assert!(!attributes(!0x71).is_debug());
}
