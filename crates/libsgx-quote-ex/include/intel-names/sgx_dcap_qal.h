/* The policies and results of an appraisal. */
#ifndef SGX_QUOTE_HELPER_DCAP_QAL_H
#define SGX_QUOTE_HELPER_DCAP_QAL_H

#include <stdint.h>

#ifndef _SGX_DCAP_QAL_H_
typedef enum _tee_platform_policy_type_t {
    DEFAULT_STRICT = 0,
    CUSTOMIZED = 1
} tee_platform_policy_type_t;

typedef struct _tee_platform_policy_t {
    tee_platform_policy_type_t pt;
    /* NULL if and only if the type is DEFAULT_STRICT. */
    const uint8_t *p_policy;
} tee_platform_policy_t;

/* The policies of an appraisal, 72 bytes. */
typedef struct _tee_policy_bundle_t {
    const uint8_t *p_tenant_identity_policy;
    tee_platform_policy_t platform_policy;
    /* Of TDX only. */
    tee_platform_policy_t tdqe_policy;
    /* 0. */
    tee_platform_policy_t reserved[2];
} tee_policy_bundle_t;

typedef enum _tee_policy_auth_result_t {
    TEE_AUTH_INCOMPLET = -1,
    TEE_AUTH_SUCCESS = 0,
    TEE_AUTH_FAILURE = 1
} tee_policy_auth_result_t;
#endif

#endif
