/*
 * forks DIRECTORY: calls the library from several threads, forks and unloads the library
 * meanwhile. Children and grandchildren call it, too. The directory has platform.bin.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform.h"

static __typeof__(&sgx_ql_get_quote_config) get;
static __typeof__(&sgx_ql_free_quote_config) give_back;
static __typeof__(&sgx_qpl_clear_cache) clear;
static sgx_ql_pck_cert_id_t id;
static atomic_int is_over;

static void ask(void)
{
    sgx_ql_config_t *config = NULL;
    RETURNS(SGX_QL_SUCCESS, get(&id, &config));
    RETURNS(SGX_QL_SUCCESS, give_back(config));
}

static void *ask_again_and_again(void *nothing)
{
    while (!is_over) ask();
    return nothing;
}

static void *clear_now_and_then(void *nothing)
{
    while (!is_over) {
        RETURNS(SGX_QL_SUCCESS, clear(SGX_QPL_CACHE_CERTIFICATE));
        usleep(50000);
    }
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

static void ask_and_fork(void)
{
    ask();
    in_a_child(ask);
}

int main(int argc, char **argv)
{
    pthread_t threads[3];
    void *library = dlopen("libdcap_quoteprov.so.1", RTLD_LAZY);
    int i;
    CHECK(argc == 2 && library != NULL);
    id = read_platform(argv[1]);
    get = (__typeof__(get))dlsym(library, "sgx_ql_get_quote_config");
    give_back = (__typeof__(give_back))dlsym(library, "sgx_ql_free_quote_config");
    clear = (__typeof__(clear))dlsym(library, "sgx_qpl_clear_cache");
    CHECK(pthread_create(&threads[0], NULL, clear_now_and_then, NULL) == 0);
    for (i = 1; i < 3; i++) CHECK(pthread_create(&threads[i], NULL, ask_again_and_again, NULL) == 0);
    for (i = 0; i < 30; i++) in_a_child(ask_and_fork);
    CHECK(dlclose(library) == 0);
    is_over = 1;
    for (i = 0; i < 3; i++) CHECK(pthread_join(threads[i], NULL) == 0);
    ask();
    return 0;
}
