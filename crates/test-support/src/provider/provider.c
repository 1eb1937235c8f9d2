/*
 * A fake Quoting Enclave behind both C interfaces of Intel's quote generation library, for tests
 * only. Its quotes have the structure of real ones, and junk where the signatures should be.
 *
 * The file that the environment variable PROVIDER_FAULT names, or else FAULT_FILE, is read at each
 * call. Its line `FUNCTION FAULT [NUMBER]` has that function
 *   crash | segv | hang | exit    do so
 *   sleep N                       take N milliseconds
 *   error N                       return N
 *   once N                        return N the first time, and remove the file
 *   size N                        want N bytes (for a quote, for a public key id)
 *   short | garbage | other       write half of the quote, no quote, a quote of another REPORT
 *   nonce                         have the QE's REPORT be about another nonce
 *   send-text | send-other | send-nonce | send-large [1]
 *                                 take over the worker that it is loaded in, and send its service what
 *                                 none of the worker's own checks has seen: text, a quote of another
 *                                 REPORT, a QE's REPORT about another nonce, 100,000 bytes of a quote;
 *                                 with a 1 for the first call alone, and remove the file
 *
 * Where the environment variable PROVIDER_QPL names a quote provider library, each quote asks it for the PCK
 * certificate of the platform in the file PROVIDER_PLATFORM, as Intel's library does, and fails as it does. The file
 * has QE_ID (16 bytes), CPUSVN (16), PCESVN (2) and PCE id (2).
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sha256.c"

enum {
    SUCCESS = 0,
    INVALID_PARAMETER = 0xe002,
    UNSUPPORTED_LOADING_POLICY = 0xe00c,
    PLATFORM_LIB_UNAVAILABLE = 0xe00e,
    ATT_KEY_NOT_INITIALIZED = 0xe00f,
    INVALID_REPORT = 0xe015,
};

enum { REPORT_BODY_SIZE = 384, REPORT_SIZE = 432, TARGET_INFO_SIZE = 512, KEY_ID_SIZE = 32, MAC_SIZE = 16 };

struct __attribute__((packed)) quote {
    uint16_t version, attestation_key_type;
    uint8_t unused[44];
    uint8_t report_body[REPORT_BODY_SIZE];
    uint32_t signature_data_size;
    uint8_t signatures[64 + 64 + REPORT_BODY_SIZE + 64];
    uint16_t authentication_data_size;
    uint8_t authentication_data[32];
    uint16_t certification_data_type;
    uint32_t certification_data_size;
    uint8_t certification_data[404];
};

struct qe_report_info {
    uint8_t nonce[16], target_info[TARGET_INFO_SIZE], qe_report[REPORT_SIZE];
};

static atomic_flag inside = ATOMIC_FLAG_INIT;
static bool persistent, have_key;
static uint8_t keys_made;

struct __attribute__((packed)) platform {
    uint8_t qe_id[16], cpu_svn[16];
    uint16_t pce_svn, pce_id;
};

/* sgx_ql_pck_cert_id_t */
struct __attribute__((packed)) pck_cert_id {
    void *qe_id;
    uint32_t qe_id_size;
    void *cpu_svn, *pce_svn, *encrypted_ppid;
    uint32_t encrypted_ppid_size;
    uint8_t crypto_suite;
    uint16_t pce_id;
};

/* What the call under way does wrong; no name, nothing. */
static struct {
    char name[16];
    long long number;
} fault;

static bool fault_is(const char *name) { return strcmp(fault.name, name) == 0; }

static const char *fault_file(void)
{
    const char *path = getenv("PROVIDER_FAULT");
#ifdef FAULT_FILE
    if (!path)
        path = FAULT_FILE;
#endif
    return path;
}

static void read_fault(const char *function)
{
    char faulty[64] = "";
    FILE *file = fault_file() ? fopen(fault_file(), "r") : NULL;
    fault.name[0] = '\0';
    fault.number = 0;
    if (!file)
        return;
    (void)!fscanf(file, "%63s %15s %lli", faulty, fault.name, &fault.number);
    fclose(file);
    if (strcmp(faulty, function) != 0)
        fault.name[0] = '\0';
}

/* Removes the fault. A test of what is there once only must not pass because that is not allowed. */
static bool first_time(void)
{
    if (unlink(fault_file()) == 0)
        return true;
    if (errno != ENOENT)
        abort();
    return false;
}

/* Begins a call: does what a fault says, and gives the error to return. Like a QE with one TCS it
 * must not be called twice at a time. */
static uint32_t enter(const char *function)
{
    static int *volatile nowhere;

    if (atomic_flag_test_and_set(&inside)) {
        fputs("the quote provider was called twice at a time\n", stderr);
        abort();
    }
    read_fault(function);
    if (fault_is("crash"))
        abort();
    if (fault_is("segv"))
        *nowhere = 0;
    if (fault_is("exit"))
        _exit(0);
    while (fault_is("hang"))
        pause();
    if (fault_is("sleep"))
        usleep(fault.number * 1000);
    if (fault_is("error") || (fault_is("once") && first_time())) {
        /* Who says that there is no key has none. */
        have_key = have_key && fault.number != ATT_KEY_NOT_INITIALIZED;
        return fault.number;
    }
    return SUCCESS;
}

static uint32_t leave(uint32_t error)
{
    atomic_flag_clear(&inside);
    return error;
}

static uint32_t set_policy(const char *function, uint32_t policy)
{
    uint32_t error = enter(function);
    persistent = persistent || (!error && policy == 0);
    return leave(error);
}

/* Makes a new key if there is none. The first byte of its id counts them. */
static uint32_t init_quote(const char *function, uint8_t *target_info, size_t *id_size, uint8_t *id)
{
    uint32_t error = enter(function);
    if (error)
        return leave(error);
    if (!persistent)
        return leave(UNSUPPORTED_LOADING_POLICY);
    if (!id) {
        *id_size = fault_is("size") ? (size_t)fault.number : KEY_ID_SIZE;
        return leave(SUCCESS);
    }
    if (!target_info || *id_size != KEY_ID_SIZE)
        return leave(INVALID_PARAMETER);
    keys_made += !have_key;
    have_key = true;
    memset(id, 0, KEY_ID_SIZE);
    id[0] = keys_made;
    memset(target_info, 0, TARGET_INFO_SIZE);
    memset(target_info, 0x51, 32);
    return leave(SUCCESS);
}

static uint32_t quote_size(const char *function, uint32_t *size)
{
    uint32_t error = enter(function);
    if (!error && !have_key)
        error = ATT_KEY_NOT_INITIALIZED;
    if (!error)
        *size = fault_is("size") ? (uint32_t)fault.number : sizeof(struct quote);
    return leave(error);
}

static void write_quote(const uint8_t *report, uint8_t *buffer)
{
    struct quote quote = {
        .version = 3,
        .attestation_key_type = 2,
        .signature_data_size = sizeof quote - offsetof(struct quote, signatures),
        .authentication_data_size = sizeof quote.authentication_data,
        .certification_data_type = 3,
        .certification_data_size = sizeof quote.certification_data,
    };
    memset(quote.signatures, 0x5a, sizeof quote.signatures);
    memset(quote.certification_data, 0xc3, sizeof quote.certification_data);
    memcpy(quote.report_body, report, REPORT_BODY_SIZE);
    quote.report_body[0] ^= fault_is("other") || fault_is("send-other");
    if (fault_is("garbage"))
        memset(&quote, 0xa5, sizeof quote);
    memcpy(buffer, &quote, fault_is("short") ? sizeof quote / 2 : sizeof quote);
}

/* The QE's REPORT: its report data is SHA-256(nonce, quote) and 32 zero bytes. */
static void write_qe_report(struct qe_report_info *info, const uint8_t *quote)
{
    struct sha256 hash;
    bool other_nonce = fault_is("nonce") || fault_is("send-nonce");

    sha256_begin(&hash);
    sha256_add(&hash, other_nonce ? "another nonce..." : (const char *)info->nonce, 16);
    sha256_add(&hash, quote, sizeof(struct quote));
    memset(info->qe_report, 0, REPORT_SIZE);
    sha256_end(&hash, info->qe_report + REPORT_BODY_SIZE - 64);
}

/* Sends the service at standard input a reply of this kind, as a worker does. */
static void send_reply(uint8_t kind, const void *info, size_t info_size, const void *quote, size_t size)
{
    static uint8_t frame[1 << 20];
    uint32_t length = 1 + info_size + size;

    memcpy(frame, &length, sizeof length);
    frame[4] = kind;
    if (info)
        memcpy(frame + 5, info, info_size);
    memcpy(frame + 5 + info_size, quote, size);
    if (write(STDIN_FILENO, frame, 4 + length) != 4 + (ssize_t)length)
        abort();
    while (true)
        pause();
}

/* Does what a worker that was taken over may do, if that is the fault. */
static void take_over(const struct qe_report_info *info, const uint8_t *quote)
{
    enum { QUOTE = 2, QUOTE_AND_QE_REPORT = 3 };
    static const char TEXT[2000] = "not a quote, but a text that nobody has signed";
    static uint8_t large[100000];

    if (strncmp(fault.name, "send-", 5) != 0)
        return;
    if (fault.number == 1 && !first_time())
        abort();
    if (fault_is("send-text"))
        send_reply(QUOTE, NULL, 0, TEXT, sizeof TEXT);
    memcpy(large, quote, sizeof(struct quote));
    if (fault_is("send-large"))
        send_reply(QUOTE, NULL, 0, large, sizeof large);
    if (info)
        send_reply(QUOTE_AND_QE_REPORT, info, sizeof *info, quote, sizeof(struct quote));
    send_reply(QUOTE, NULL, 0, quote, sizeof(struct quote));
}

/* Asks the quote provider library, if there is to be one, for the platform's PCK certificate. */
static uint32_t ask_provider(void)
{
    uint32_t (*get)(const struct pck_cert_id *, void **), (*give_back)(void *), error = PLATFORM_LIB_UNAVAILABLE;
    const char *library = getenv("PROVIDER_QPL"), *path = getenv("PROVIDER_PLATFORM");
    FILE *file = library && path ? fopen(path, "rb") : NULL;
    struct platform platform;
    struct pck_cert_id id = {platform.qe_id, 16, platform.cpu_svn, (uint8_t *)&platform + 32, NULL, 0, 1, 0};
    void *handle, *config;

    if (!library)
        return SUCCESS;
    if (!file || fread(&platform, sizeof platform, 1, file) != 1)
        abort();
    fclose(file);
    id.pce_id = platform.pce_id;
    handle = dlopen(library, RTLD_LAZY);
    if (!handle)
        return error;
    *(void **)&get = dlsym(handle, "sgx_ql_get_quote_config");
    *(void **)&give_back = dlsym(handle, "sgx_ql_free_quote_config");
    if (get && give_back && !(error = get(&id, &config)))
        error = give_back(config);
    dlclose(handle);
    return error;
}

/* It has no key to check a MAC with, but knows the one that the conformance run sends. */
static bool has_invalid_mac(const uint8_t *report)
{
    for (size_t i = REPORT_SIZE - MAC_SIZE; i < REPORT_SIZE; i++)
        if (report[i] != 0xff)
            return false;
    return true;
}

static uint32_t get_quote(const char *function, const uint8_t *report, struct qe_report_info *info,
                          uint8_t *buffer, uint32_t size)
{
    uint32_t error = enter(function);
    if (!error && !have_key)
        error = ATT_KEY_NOT_INITIALIZED;
    if (!error && size < sizeof(struct quote))
        error = INVALID_PARAMETER;
    if (!error && has_invalid_mac(report))
        error = INVALID_REPORT;
    if (!error)
        error = ask_provider();
    if (!error)
        write_quote(report, buffer);
    if (!error && info)
        write_qe_report(info, buffer);
    if (!error)
        take_over(info, buffer);
    return leave(error);
}

/* The core interface, of libsgx_qe3_logic.so.1. */

uint32_t sgx_ql_set_enclave_load_policy(uint32_t policy) { return set_policy(__func__, policy); }

uint32_t sgx_ql_init_quote(const void *key, uint8_t *target_info, bool refresh, size_t *id_size,
                           uint8_t *id)
{
    return key || refresh ? INVALID_PARAMETER : init_quote(__func__, target_info, id_size, id);
}

uint32_t sgx_ql_get_quote_size(const void *key, uint32_t *size)
{
    return key ? INVALID_PARAMETER : quote_size(__func__, size);
}

uint32_t sgx_ql_get_quote(const uint8_t *report, const void *key, struct qe_report_info *info,
                          uint8_t *quote, uint32_t size)
{
    return key ? INVALID_PARAMETER : get_quote(__func__, report, info, quote, size);
}

/* The wrapper's interface, of libsgx_dcap_ql.so.1. */

uint32_t sgx_qe_set_enclave_load_policy(uint32_t policy) { return set_policy(__func__, policy); }

uint32_t sgx_qe_get_target_info(uint8_t *target_info)
{
    uint8_t id[KEY_ID_SIZE];
    size_t id_size = sizeof id;
    return init_quote(__func__, target_info, &id_size, id);
}

uint32_t sgx_qe_get_quote_size(uint32_t *size) { return quote_size(__func__, size); }

uint32_t sgx_qe_get_quote(const uint8_t *report, uint32_t size, uint8_t *quote)
{
    return get_quote(__func__, report, NULL, quote, size);
}
