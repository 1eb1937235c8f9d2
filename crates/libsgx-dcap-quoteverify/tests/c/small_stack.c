/* small_stack DIRECTORY DATE KIB: verifies and fetches in a thread with this stack. */
#include <pthread.h>

#include "evidence.h"

static evidence_t evidence;
static time_t date;

static void *run(void *nothing)
{
    uint8_t *collateral = NULL;
    uint32_t size;
    CHECK(verify(evidence.quote, evidence.quote_size, &evidence.collateral, date).result == 0);
    RETURNS(SGX_QL_SUCCESS,
            tee_qv_get_collateral(evidence.quote, evidence.quote_size, &collateral, &size));
    RETURNS(SGX_QL_SUCCESS, tee_qv_free_collateral(collateral));
    return nothing;
}

int main(int argc, char **argv)
{
    pthread_attr_t attributes;
    pthread_t thread;
    CHECK(argc == 4);
    evidence = read_evidence(argv[1]);
    date = (time_t)atoll(argv[2]);
    CHECK(pthread_attr_init(&attributes) == 0);
    CHECK(pthread_attr_setstacksize(&attributes, (size_t)atoi(argv[3]) * 1024) == 0);
    CHECK(pthread_create(&thread, &attributes, run, NULL) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    return 0;
}
