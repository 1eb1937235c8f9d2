/*
 * forks DIRECTORY DATE: verifies in several threads, forks and unloads the library meanwhile.
 * Children and grandchildren verify and fetch, too.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include "evidence.h"

static __typeof__(&sgx_qv_verify_quote) verify_quote;
static __typeof__(&sgx_qv_set_path) set_path;
static evidence_t evidence;
static time_t date;
static atomic_int is_over;

static void verify_with(const sgx_ql_qve_collateral_t *collateral)
{
    uint32_t expired = UNTOUCHED;
    sgx_ql_qv_result_t result = SGX_QL_QV_RESULT_UNSPECIFIED;
    RETURNS(SGX_QL_SUCCESS, verify_quote(evidence.quote, evidence.quote_size, collateral, date,
                                         &expired, &result, NULL, 0, NULL));
    CHECK(result == SGX_QL_QV_RESULT_OK && expired == 0);
}

static void verify_both(void)
{
    verify_with(&evidence.collateral);
    verify_with(NULL);
}

static void *verify_again_and_again(void *nothing)
{
    while (!is_over) verify_both();
    return nothing;
}

static void *set_paths(void *nothing)
{
    while (!is_over) RETURNS(SGX_QL_SUCCESS, set_path(SGX_QV_QVE_PATH, "/proc/self/exe"));
    return nothing;
}

/* A child that never answers is ended by its alarm. */
static void in_a_child(void (*act)(void))
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        alarm(20);
        act();
        _exit(0);
    }
    CHECK(child > 0 && waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void verify_and_fork(void)
{
    verify_both();
    in_a_child(verify_both);
}

int main(int argc, char **argv)
{
    pthread_t threads[3];
    void *library = dlopen("libsgx_dcap_quoteverify.so.1", RTLD_LAZY);
    int i;
    CHECK(argc == 3 && library != NULL);
    evidence = read_evidence(argv[1]);
    date = (time_t)atoll(argv[2]);
    verify_quote = (__typeof__(verify_quote))dlsym(library, "sgx_qv_verify_quote");
    set_path = (__typeof__(set_path))dlsym(library, "sgx_qv_set_path");
    CHECK(pthread_create(&threads[0], NULL, set_paths, NULL) == 0);
    for (i = 1; i < 3; i++) CHECK(pthread_create(&threads[i], NULL, verify_again_and_again, NULL) == 0);
    for (i = 0; i < 20; i++) in_a_child(verify_and_fork);
    CHECK(dlclose(library) == 0);
    is_over = 1;
    for (i = 0; i < 3; i++) CHECK(pthread_join(threads[i], NULL) == 0);
    verify_both();
    return 0;
}
