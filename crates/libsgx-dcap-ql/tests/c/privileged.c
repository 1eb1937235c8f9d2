/* Asks for what a service or this process has to say, with privileges that the caller lacks. */
#include <stdio.h>
#include <sys/auxv.h>

#include "sgx_dcap_ql_wrapper.h"
#include "sgx_uae_quote_ex.h"

int main(int argc, char **argv)
{
    (void)argv;
    if (argc > 1) {
        printf("%lu\n", getauxval(AT_SECURE));
        return 0;
    }
    uint32_t number = 0;
    sgx_target_info_t target_info;
    printf("libsgx_quote_ex %#x\n", (unsigned)sgx_get_supported_att_key_id_num(&number));
    printf("libsgx_dcap_ql %#x\n", (unsigned)sgx_qe_get_target_info(&target_info));
    return 0;
}
