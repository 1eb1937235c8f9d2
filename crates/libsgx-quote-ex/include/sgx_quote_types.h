/*
 * The structures and numbers of quoting with SGX, as far as libsgx_quote_ex, libsgx_dcap_ql,
 * libdcap_quoteprov and libsgx_dcap_quoteverify have them. Names, sizes and values are those of Intel's SDK and DCAP headers,
 * so that sources which were written for these compile. All integers are little-endian;
 * structures that are not of verification have no padding.
 *
 * Where the headers of Intel's SDK are used too, include them first: what they have defined already
 * is left out here. Where they are not, the directory intel-names has headers of their names.
 */
#ifndef SGX_QUOTE_HELPER_QUOTE_TYPES_H
#define SGX_QUOTE_HELPER_QUOTE_TYPES_H

#include <stddef.h>
#include <stdint.h>

#include "intel-names/sgx_attributes.h"
#include "intel-names/sgx_dcap_qal.h"
#include "intel-names/sgx_error.h"
#include "intel-names/sgx_key.h"
#include "intel-names/sgx_pce.h"
#include "intel-names/sgx_ql_lib_common.h"
#include "intel-names/sgx_ql_quote.h"
#include "intel-names/sgx_quote.h"
#include "intel-names/sgx_qve_header.h"
#include "intel-names/sgx_report.h"

/* What an application can say the path of: the Quoting Enclave, the Provisioning Certification
 * Enclave, the quote provider library, the ID enclave. */
typedef enum {
    SGX_QL_QE3_PATH,
    SGX_QL_PCE_PATH,
    SGX_QL_QPL_PATH,
    SGX_QL_IDE_PATH
} sgx_ql_path_type_t;

/* What an application of libsgx_dcap_quoteverify can say the path of: the Quote Verification Enclave,
 * the quote provider library. */
typedef enum { SGX_QV_QVE_PATH, SGX_QV_QPL_PATH } sgx_qv_path_type_t;

/* Levels of the messages of libsgx_dcap_quoteverify. */
#ifndef _SE_DEBUG_H_
typedef enum {
    SE_TRACE_NONE,
    SE_TRACE_ERROR,
    SE_TRACE_WARNING,
    SE_TRACE_NOTICE,
    SE_TRACE_DEBUG
} se_trace_t;

/* Gets a message of libsgx_dcap_quoteverify, which is there during the call only. The level is a
 * number of sgx_ql_log_level_t. */
typedef void (*sgx_logging_callback_t)(int level, const char *message);
#endif

#endif
