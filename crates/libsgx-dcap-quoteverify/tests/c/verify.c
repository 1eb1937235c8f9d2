/*
 * verify DIRECTORY DATE: verifies the evidence in the directory with each function, and prints
 * return value, result, expiration status and supplemental data. All functions must agree.
 */
#include "evidence.h"

static void print_hex(const char *name, const uint8_t *bytes, size_t size)
{
    size_t i;
    printf("%s ", name);
    for (i = 0; i < size; i++) printf("%02x", bytes[i]);
    printf("\n");
}

static void print(const outcome_t *it)
{
    const sgx_ql_qv_supplemental_t *data = &it->data;
    printf("error %x\nresult %x\nexpired %u\n", (unsigned)it->error, (unsigned)it->result,
           (unsigned)it->expired);
    printf("version %x\n", (unsigned)data->version);
#define PRINT(field) printf(#field " %lld\n", (long long)data->field)
    PRINT(earliest_issue_date);
    PRINT(latest_issue_date);
    PRINT(earliest_expiration_date);
    PRINT(tcb_level_date_tag);
    PRINT(pck_crl_num);
    PRINT(root_ca_crl_num);
    PRINT(tcb_eval_ref_num);
    PRINT(tcb_pce_isvsvn);
    PRINT(pce_id);
    PRINT(tee_type);
    PRINT(sgx_type);
    PRINT(dynamic_platform);
    PRINT(cached_keys);
    PRINT(smt_enabled);
    PRINT(qe_iden_earliest_issue_date);
    PRINT(qe_iden_latest_issue_date);
    PRINT(qe_iden_earliest_expiration_date);
    PRINT(qe_iden_tcb_level_date_tag);
    PRINT(qe_iden_tcb_eval_ref_num);
    PRINT(qe_iden_status);
    PRINT(platform_tcb_level_date_tag);
    PRINT(tcb_date_current);
    PRINT(tcb_status_current);
    print_hex("root_key_id", data->root_key_id, sizeof data->root_key_id);
    print_hex("pck_ppid", data->pck_ppid, sizeof data->pck_ppid);
    print_hex("tcb_cpusvn", data->tcb_cpusvn.svn, sizeof data->tcb_cpusvn.svn);
    print_hex("platform_instance_id", data->platform_instance_id, sizeof data->platform_instance_id);
    printf("sa_list %s\n", data->sa_list);
    printf("sa_list_current %s\n", data->sa_list_current);
}

int main(int argc, char **argv)
{
    evidence_t it;
    outcome_t first, other;
    time_t date;
    int i;
    CHECK(argc == 3);
    it = read_evidence(argv[1]);
    date = (time_t)atoll(argv[2]);
    first = verify(it.quote, it.quote_size, &it.collateral, date);
    for (i = 0; i < 2; i++) {
        __typeof__(&sgx_qv_verify_quote) function = i ? tdx_qv_verify_quote : sgx_qv_verify_quote;
        memset(&other, 0, sizeof other);
        other.error = function(it.quote, it.quote_size, &it.collateral, date, &other.expired,
                               &other.result, NULL, sizeof other.data, (uint8_t *)&other.data);
        CHECK(other.data.version == (first.error == SGX_QL_SUCCESS ? 3 : 0));
        other.data.version = first.data.version;
        CHECK(are_same(&first, &other));
        other.error = function(it.quote, it.quote_size, &it.collateral, date, &other.expired,
                               &other.result, NULL, 0, NULL);
        CHECK(first.error == other.error && first.result == other.result);
    }
    print(&first);
    free_evidence(&it);
    return 0;
}
