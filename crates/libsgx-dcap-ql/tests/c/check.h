/* What the C programs of these tests have in common. */
#ifndef CHECK_H
#define CHECK_H

#include "expect.h"
#include "sgx_dcap_ql_wrapper.h"
#include "sgx_uae_quote_ex.h"

/* The id of the preferred attestation key. */
static inline sgx_att_key_id_t preferred_key(void)
{
    sgx_att_key_id_t key_id;
    RETURNS(SGX_SUCCESS, sgx_select_att_key_id(NULL, 0, &key_id));
    return key_id;
}

static inline int is_zero(const uint8_t *bytes, size_t size)
{
    size_t i;
    for (i = 0; i < size; i++) {
        if (bytes[i] != 0) return 0;
    }
    return 1;
}

#endif
