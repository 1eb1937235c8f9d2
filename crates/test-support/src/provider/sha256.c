/* SHA-256 (FIPS 180-4), for the report data of the QE's REPORT. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct sha256 {
    uint32_t state[8];
    uint64_t size;
    uint8_t block[64];
};

static const uint32_t ROUND_CONSTANTS[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t rotate(uint32_t word, int bits) { return word >> bits | word << (32 - bits); }

static uint32_t sigma(uint32_t word, int first, int second, int shift)
{
    return rotate(word, first) ^ rotate(word, second) ^ word >> shift;
}

static uint32_t sum(uint32_t word, int first, int second, int third)
{
    return rotate(word, first) ^ rotate(word, second) ^ rotate(word, third);
}

static void sha256_block(struct sha256 *hash)
{
    uint32_t w[64], s[8];

    for (int i = 0; i < 16; i++)
        w[i] = (uint32_t)hash->block[4 * i] << 24 | hash->block[4 * i + 1] << 16
               | hash->block[4 * i + 2] << 8 | hash->block[4 * i + 3];
    for (int i = 16; i < 64; i++)
        w[i] = sigma(w[i - 2], 17, 19, 10) + w[i - 7] + sigma(w[i - 15], 7, 18, 3) + w[i - 16];
    memcpy(s, hash->state, sizeof s);
    for (int i = 0; i < 64; i++) {
        uint32_t choice = (s[4] & s[5]) ^ (~s[4] & s[6]);
        uint32_t majority = (s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]);
        uint32_t first = s[7] + sum(s[4], 6, 11, 25) + choice + ROUND_CONSTANTS[i] + w[i];
        uint32_t second = sum(s[0], 2, 13, 22) + majority;

        memmove(s + 1, s, 7 * sizeof s[0]);
        s[4] += first;
        s[0] = first + second;
    }
    for (int i = 0; i < 8; i++)
        hash->state[i] += s[i];
}

static void sha256_begin(struct sha256 *hash)
{
    static const uint32_t START[8] = {
        0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
    };
    memcpy(hash->state, START, sizeof START);
    hash->size = 0;
}

static void sha256_add(struct sha256 *hash, const void *bytes, size_t size)
{
    for (const uint8_t *byte = bytes; size--; byte++) {
        hash->block[hash->size++ % 64] = *byte;
        if (hash->size % 64 == 0)
            sha256_block(hash);
    }
}

static void sha256_end(struct sha256 *hash, uint8_t digest[32])
{
    uint64_t bits = 8 * hash->size;
    uint8_t length[8];

    for (int i = 0; i < 8; i++)
        length[i] = bits >> (56 - 8 * i);
    sha256_add(hash, "\x80", 1);
    while (hash->size % 64 != 56)
        sha256_add(hash, "", 1);
    sha256_add(hash, length, sizeof length);
    for (int i = 0; i < 32; i++)
        digest[i] = hash->state[i / 4] >> (24 - 8 * (i % 4));
}
