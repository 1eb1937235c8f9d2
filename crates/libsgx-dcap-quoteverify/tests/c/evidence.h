/* The quote and the collateral that the C programs verify. */
#ifndef EVIDENCE_H
#define EVIDENCE_H

#include "../../../libsgx-dcap-ql/tests/c/expect.h"
#include "sgx_dcap_quoteverify.h"

typedef struct {
    uint8_t *quote;
    uint32_t quote_size;
    sgx_ql_qve_collateral_t collateral;
} evidence_t;

/* A whole file, with a zero byte behind it, in a block of its own size. */
static inline uint8_t *read_whole(const char *directory, const char *name, uint32_t *size)
{
    FILE *file = open_file(directory, name, "rb");
    uint8_t *bytes;
    long end;
    CHECK(fseek(file, 0, SEEK_END) == 0 && (end = ftell(file)) >= 0);
    rewind(file);
    bytes = malloc((size_t)end + 1);
    CHECK(bytes != NULL && fread(bytes, 1, (size_t)end, file) == (size_t)end);
    fclose(file);
    bytes[end] = 0;
    *size = (uint32_t)end;
    return bytes;
}

static inline char *read_text(const char *directory, const char *name, uint32_t *size)
{
    char *text = (char *)read_whole(directory, name, size);
    *size += 1;
    return text;
}

/* The file quote.bin, and a file for each piece of the collateral. */
static inline evidence_t read_evidence(const char *directory)
{
    evidence_t it;
    memset(&it, 0, sizeof it);
    it.quote = read_whole(directory, "quote.bin", &it.quote_size);
    it.collateral.version = 3;
#define READ(piece) \
    it.collateral.piece = read_text(directory, #piece, &it.collateral.piece##_size)
    READ(pck_crl_issuer_chain);
    READ(root_ca_crl);
    READ(pck_crl);
    READ(tcb_info_issuer_chain);
    READ(tcb_info);
    READ(qe_identity_issuer_chain);
    READ(qe_identity);
#undef READ
    return it;
}

static inline void free_evidence(evidence_t *it)
{
    free(it->quote);
    free(it->collateral.pck_crl_issuer_chain);
    free(it->collateral.root_ca_crl);
    free(it->collateral.pck_crl);
    free(it->collateral.tcb_info_issuer_chain);
    free(it->collateral.tcb_info);
    free(it->collateral.qe_identity_issuer_chain);
    free(it->collateral.qe_identity);
}

/* The results of a verification. */
typedef struct {
    quote3_error_t error;
    uint32_t expired;
    sgx_ql_qv_result_t result;
    sgx_ql_qv_supplemental_t data;
} outcome_t;

#define UNTOUCHED 77u

static inline int are_same(const outcome_t *one, const outcome_t *other)
{
    return one->error == other->error && one->expired == other->expired &&
           one->result == other->result && memcmp(&one->data, &other->data, sizeof one->data) == 0;
}

/* Verifies with all results, which are UNTOUCHED before. NULL for the collateral: it is fetched. */
static inline outcome_t verify(const uint8_t *quote, uint32_t size,
                               const sgx_ql_qve_collateral_t *collateral, time_t date)
{
    outcome_t it;
    tee_supp_data_descriptor_t request = {3, sizeof it.data, (uint8_t *)&it.data};
    memset(&it, UNTOUCHED, sizeof it);
    it.expired = UNTOUCHED;
    it.result = (sgx_ql_qv_result_t)UNTOUCHED;
    it.error = tee_verify_quote(quote, size, (const uint8_t *)collateral, date, &it.expired,
                                &it.result, NULL, &request);
    return it;
}

#endif
