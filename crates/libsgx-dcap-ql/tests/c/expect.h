/* What the C programs of all our libraries' tests have in common. */
#ifndef EXPECT_H
#define EXPECT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                      \
    do {                                                                      \
        if (!(condition)) {                                                   \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);   \
            exit(1);                                                          \
        }                                                                     \
    } while (0)

/* The call returns this number, and not another one. */
#define RETURNS(expected, call)                                                         \
    do {                                                                                \
        unsigned returned = (call);                                                     \
        if (returned != (unsigned)(expected)) {                                         \
            fprintf(stderr, "%s:%d: %s returns %#x\n", __FILE__, __LINE__, #call, returned); \
            exit(1);                                                                    \
        }                                                                               \
    } while (0)

static FILE *open_file(const char *directory, const char *name, const char *mode)
{
    char path[4096];
    FILE *file;
    CHECK(snprintf(path, sizeof path, "%s/%s", directory, name) < (int)sizeof path);
    file = fopen(path, mode);
    CHECK(file != NULL);
    return file;
}

static inline void read_file(const char *directory, const char *name, void *bytes, size_t size)
{
    FILE *file = open_file(directory, name, "rb");
    CHECK(fread(bytes, 1, size, file) == size);
    fclose(file);
}

static inline void write_file(const char *directory, const char *name, const void *bytes, size_t size)
{
    FILE *file = open_file(directory, name, "wb");
    CHECK(fwrite(bytes, 1, size, file) == size);
    CHECK(fclose(file) == 0);
}

#endif
