/*
 * The structures and numbers of quoting with SGX, as far as libsgx_quote_ex, libsgx_dcap_ql and
 * libdcap_quoteprov have them. Names, sizes and values are those of Intel's SDK and DCAP headers,
 * so that sources which were written for these compile. All integers are little-endian; no
 * structure has padding.
 *
 * Where the headers of Intel's SDK are used too, include them first: what they have defined already
 * is left out here. Where they are not, the directory intel-names has headers of their names.
 */
#ifndef SGX_QUOTE_HELPER_QUOTE_TYPES_H
#define SGX_QUOTE_HELPER_QUOTE_TYPES_H

#include <stddef.h>
#include <stdint.h>

#include "intel-names/sgx_attributes.h"
#include "intel-names/sgx_error.h"
#include "intel-names/sgx_key.h"
#include "intel-names/sgx_pce.h"
#include "intel-names/sgx_ql_lib_common.h"
#include "intel-names/sgx_quote.h"
#include "intel-names/sgx_report.h"

/* What an application can say the path of: the Quoting Enclave, the Provisioning Certification
 * Enclave, the quote provider library, the ID enclave. */
typedef enum {
    SGX_QL_QE3_PATH,
    SGX_QL_PCE_PATH,
    SGX_QL_QPL_PATH,
    SGX_QL_IDE_PATH
} sgx_ql_path_type_t;

#endif
