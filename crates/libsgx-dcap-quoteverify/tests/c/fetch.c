/*
 * fetch DIRECTORY DATE [LIBRARY]: verifies the quote in the directory with collateral that the
 * library fetches, from the quote provider library if there is one, and gets it.
 */
#include "evidence.h"

static void qve_identity(void)
{
    uint8_t *identity = NULL, *chain = NULL, *crl = NULL;
    uint32_t identity_size = 0, chain_size = 0;
    uint16_t crl_size = 0;
    RETURNS(SGX_QL_SUCCESS, sgx_qv_get_qve_identity(&identity, &identity_size, &chain, &chain_size,
                                                    &crl, &crl_size));
    CHECK(strlen((char *)identity) == identity_size - 1 && strlen((char *)chain) == chain_size - 1);
    CHECK(strstr((char *)identity, "\"QVE\"") != NULL && crl[crl_size - 1] == 0);
    RETURNS(SGX_QL_ERROR_INVALID_PARAMETER, sgx_qv_free_qve_identity(identity, chain, NULL));
    RETURNS(SGX_QL_SUCCESS, sgx_qv_free_qve_identity(identity, chain, crl));
}

int main(int argc, char **argv)
{
    evidence_t it;
    outcome_t given, fetched;
    uint8_t *collateral = NULL, *again;
    uint32_t size = 0;
    time_t date;
    CHECK(argc >= 3);
    if (argc > 3) RETURNS(SGX_QL_SUCCESS, sgx_qv_set_path(SGX_QV_QPL_PATH, argv[3]));
    it = read_evidence(argv[1]);
    date = (time_t)atoll(argv[2]);
    fetched = verify(it.quote, it.quote_size, NULL, date);
    CHECK(fetched.error == SGX_QL_SUCCESS);

    RETURNS(SGX_QL_SUCCESS, tee_qv_get_collateral(it.quote, it.quote_size, &collateral, &size));
    CHECK(collateral != NULL && size > sizeof(sgx_ql_qve_collateral_t));
    CHECK(((sgx_ql_qve_collateral_t *)collateral)->tee_type == 0);
    given = verify(it.quote, it.quote_size, (sgx_ql_qve_collateral_t *)collateral, date);
    CHECK(are_same(&given, &fetched));
    again = collateral;
    RETURNS(SGX_QL_ERROR_INVALID_PARAMETER,
            tee_qv_get_collateral(it.quote, it.quote_size, &again, &size));
    RETURNS(SGX_QL_SUCCESS, tee_qv_free_collateral(collateral));
    qve_identity();
    free_evidence(&it);
    return 0;
}
