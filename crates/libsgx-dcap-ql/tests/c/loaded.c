/*
 * loaded DIRECTORY: both libraries by dlopen, as many applications have them. What SGX_AESM_ADDR was
 * when a library was loaded counts, whatever becomes of it afterwards; a forked child can go on; and a
 * thread that has quoted may end after the libraries were closed.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static void *load(const char *name)
{
    void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) fprintf(stderr, "%s\n", dlerror());
    CHECK(library != NULL);
    return library;
}

#define FIND(library, function) \
    __typeof__(&function) my_##function = (__typeof__(&function))dlsym(library, #function)

static pthread_barrier_t quoted, closed;

struct thread {
    __typeof__(&sgx_qe_get_quote) get_quote;
    sgx_report_t report;
};

static void *quote_and_outlive_the_library(void *argument)
{
    static uint8_t quote[16384];
    struct thread *thread = argument;
    RETURNS(SGX_QL_SUCCESS, thread->get_quote(&thread->report, sizeof quote, quote));
    pthread_barrier_wait(&quoted);
    pthread_barrier_wait(&closed);
    return NULL;
}

int main(int argc, char **argv)
{
    void *quote_ex = load("libsgx_quote_ex.so.1"), *dcap_ql = load("libsgx_dcap_ql.so.1");
    int service = getenv("SGX_AESM_ADDR") != NULL, status;
    sgx_report_t report;
    uint32_t number, size;
    static uint8_t quote[16384];
    struct thread thread;
    pthread_t id;
    pid_t child;
    FIND(quote_ex, sgx_get_supported_att_key_id_num);
    FIND(dcap_ql, sgx_qe_get_quote_size);
    FIND(dcap_ql, sgx_qe_get_quote);
    FIND(dcap_ql, sgx_qe_cleanup_by_policy);
    CHECK(argc == 2);
    read_file(argv[1], "report.bin", &report, sizeof report);

    if (service) {
        unsetenv("SGX_AESM_ADDR");
    } else {
        setenv("SGX_AESM_ADDR", "/no/such/aesm.socket", 1);
    }
    RETURNS(service ? SGX_QL_UNSUPPORTED_MODE : SGX_QL_SUCCESS, my_sgx_qe_cleanup_by_policy());
    RETURNS(SGX_SUCCESS, my_sgx_get_supported_att_key_id_num(&number));
    RETURNS(SGX_QL_SUCCESS, my_sgx_qe_get_quote_size(&size));

    child = fork();
    if (child == 0) {
        RETURNS(SGX_QL_SUCCESS, my_sgx_qe_get_quote(&report, sizeof quote, quote));
        _exit(0);
    }
    RETURNS(SGX_QL_SUCCESS, my_sgx_qe_get_quote(&report, sizeof quote, quote));
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    write_file(argv[1], "loaded.bin", quote, size);

    thread.get_quote = my_sgx_qe_get_quote;
    thread.report = report;
    CHECK(pthread_barrier_init(&quoted, NULL, 2) == 0 && pthread_barrier_init(&closed, NULL, 2) == 0);
    CHECK(pthread_create(&id, NULL, quote_and_outlive_the_library, &thread) == 0);
    pthread_barrier_wait(&quoted);
    CHECK(dlclose(dcap_ql) == 0 && dlclose(quote_ex) == 0);
    pthread_barrier_wait(&closed);
    CHECK(pthread_join(id, NULL) == 0);
    return 0;
}
