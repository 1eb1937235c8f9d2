/* The results of a verification, and supplemental data. */
#ifndef SGX_QUOTE_HELPER_QVE_HEADER_H
#define SGX_QUOTE_HELPER_QVE_HEADER_H

#include <stdint.h>
#include <time.h>

#include "sgx_key.h"

#ifndef _SGX_QVE_HEADER_H_
#define TEE_QV_MK_ERROR(number) (0x0000A000 | (number))

#define ROOT_KEY_ID_SIZE 48
#define PLATFORM_INSTANCE_ID_SIZE 16
#define MAX_SA_SIZE 20
#define MAX_SA_NUMBER_PER_TCB 20
#define MAX_SA_LIST_SIZE 450

/* The result for a quote. Of a call that succeeds it is the status of the platform. */
typedef enum _sgx_ql_qv_result_t {
    SGX_QL_QV_RESULT_OK = 0x0000,
    SGX_QL_QV_RESULT_MIN = 0xa001,
    /* The configuration of the platform leaves a weakness. */
    SGX_QL_QV_RESULT_CONFIG_NEEDED = 0xa001,
    /* The platform, its Quoting Enclave or its TDX module lacks a security update. */
    SGX_QL_QV_RESULT_OUT_OF_DATE = 0xa002,
    SGX_QL_QV_RESULT_OUT_OF_DATE_CONFIG_NEEDED = 0xa003,
    /* Calls with these errors fail, with SGX_QL_QV_RESULT_UNSPECIFIED. */
    SGX_QL_QV_RESULT_INVALID_SIGNATURE = 0xa004,
    SGX_QL_QV_RESULT_REVOKED = 0xa005,
    /* There is no result. */
    SGX_QL_QV_RESULT_UNSPECIFIED = 0xa006,
    /* The code of the enclave must mitigate a weakness. */
    SGX_QL_QV_RESULT_SW_HARDENING_NEEDED = 0xa007,
    SGX_QL_QV_RESULT_CONFIG_AND_SW_HARDENING_NEEDED = 0xa008,
    /* The TDX module was updated after the launch of the TD. */
    SGX_QL_QV_RESULT_TD_RELAUNCH_ADVISED = 0xa009,
    SGX_QL_QV_RESULT_TD_RELAUNCH_ADVISED_CONFIG_NEEDED = 0xa00a,
    SGX_QL_QV_RESULT_MAX = 0xa0ff,
    /* The same by their other names. */
    TEE_QV_RESULT_OK = SGX_QL_QV_RESULT_OK,
    TEE_QV_RESULT_MIN = SGX_QL_QV_RESULT_MIN,
    TEE_QV_RESULT_CONFIG_NEEDED = SGX_QL_QV_RESULT_CONFIG_NEEDED,
    TEE_QV_RESULT_OUT_OF_DATE = SGX_QL_QV_RESULT_OUT_OF_DATE,
    TEE_QV_RESULT_OUT_OF_DATE_CONFIG_NEEDED = SGX_QL_QV_RESULT_OUT_OF_DATE_CONFIG_NEEDED,
    TEE_QV_RESULT_INVALID_SIGNATURE = SGX_QL_QV_RESULT_INVALID_SIGNATURE,
    TEE_QV_RESULT_REVOKED = SGX_QL_QV_RESULT_REVOKED,
    TEE_QV_RESULT_UNSPECIFIED = SGX_QL_QV_RESULT_UNSPECIFIED,
    TEE_QV_RESULT_SW_HARDENING_NEEDED = SGX_QL_QV_RESULT_SW_HARDENING_NEEDED,
    TEE_QV_RESULT_CONFIG_AND_SW_HARDENING_NEEDED = SGX_QL_QV_RESULT_CONFIG_AND_SW_HARDENING_NEEDED,
    TEE_QV_RESULT_TD_RELAUNCH_ADVISED = SGX_QL_QV_RESULT_TD_RELAUNCH_ADVISED,
    TEE_QV_RESULT_TD_RELAUNCH_ADVISED_CONFIG_NEEDED =
        SGX_QL_QV_RESULT_TD_RELAUNCH_ADVISED_CONFIG_NEEDED,
    TEE_QV_RESULT_MAX = SGX_QL_QV_RESULT_MAX
} sgx_ql_qv_result_t, tee_qv_result_t;

/* A property of a platform in its PCK certificate. */
typedef enum _pck_cert_flag_enum_t {
    PCK_FLAG_FALSE = 0,
    PCK_FLAG_TRUE = 1,
    /* The certificate does not state it. */
    PCK_FLAG_UNDEFINED = 2
} pck_cert_flag_enum_t;

/* The facts for a verifier's own policy, 1136 bytes. Dates are in seconds since 1970. */
typedef struct _sgx_ql_qv_supplemental_t {
    /* 3.5; 3.0 from functions that are older than versions. */
    __extension__ union {
        uint32_t version;
        __extension__ struct {
            uint16_t major_version;
            uint16_t minor_version;
        };
    };
    /* Of all certificates, CRLs, TCB info and QE identity. */
    time_t earliest_issue_date;
    time_t latest_issue_date;
    time_t earliest_expiration_date;
    /* The earlier one of the TCB dates of the platform and of its Quoting Enclave. */
    time_t tcb_level_date_tag;
    /* The numbers of the CRL of the PCK CA and of the root's. */
    uint32_t pck_crl_num;
    uint32_t root_ca_crl_num;
    /* The lower one of the TCB evaluation data numbers of TCB info and QE identity. */
    uint32_t tcb_eval_ref_num;
    /* SHA-384 of the root's public key: the bytes 4, x, y. */
    uint8_t root_key_id[ROOT_KEY_ID_SIZE];
    /* Of the platform's PCK certificate. */
    sgx_key_128bit_t pck_ppid;
    sgx_cpu_svn_t tcb_cpusvn;
    sgx_isv_svn_t tcb_pce_isvsvn;
    uint16_t pce_id;
    /* Always 0. */
    uint32_t tee_type;
    /* The protection of enclaves' memory: 0 standard, 1 scalable, 2 scalable with integrity. */
    uint8_t sgx_type;
    uint8_t platform_instance_id[PLATFORM_INSTANCE_ID_SIZE];
    pck_cert_flag_enum_t dynamic_platform;
    pck_cert_flag_enum_t cached_keys;
    pck_cert_flag_enum_t smt_enabled;
    /* Ids of security advisories, separated by commas. */
    char sa_list[MAX_SA_LIST_SIZE];
    /* Of the QE identity and its issuer chain. */
    time_t qe_iden_earliest_issue_date;
    time_t qe_iden_latest_issue_date;
    time_t qe_iden_earliest_expiration_date;
    time_t qe_iden_tcb_level_date_tag;
    /* Always 0. */
    uint32_t qe_iden_tcb_eval_ref_num;
    sgx_ql_qv_result_t qe_iden_status;
    time_t platform_tcb_level_date_tag;
    /* The TCB now: that of a TD may be another one than at its launch, which the result and sa_list
     * are about. Since version 3.5. */
    time_t tcb_date_current;
    sgx_ql_qv_result_t tcb_status_current;
    char sa_list_current[MAX_SA_LIST_SIZE];
} sgx_ql_qv_supplemental_t;

/* A request for supplemental data, 16 bytes. */
typedef struct _tee_supp_data_descriptor_t {
    /* 0: the latest. */
    uint16_t major_version;
    uint32_t data_size;
    uint8_t *p_data;
} tee_supp_data_descriptor_t;
#endif

#endif
