/* SPDX-License-Identifier: BSD-2-Clause */
/* boot/random.c - the random generator behind getrandom() and /dev/urandom: ChaCha20 with a key that is replaced after each
 * use, so that nothing given out before can be computed from the memory of now.
 *
 * The first key is a hash of all there is: the processor's generator (RDSEED, RDRAND), the jitter of its clock, the wall clock,
 * and, only if neither of the first two brings KEY_BITS by itself, a seed that dom0 left in xenstore (seed.c). If that is not
 * there either, the domain ends with one line instead of running with keys that others could guess. "kernel.random=" on the
 * command line names the sources that count; the others are mixed in all the same. What is written to /dev/urandom (dom0's seed
 * from QubesDB) is mixed in later.
 */
#include "boot/chacha20.h"
#include "boot/linux.h"
#include "boot/x86.h"

#define KEY_BITS 256u
#define WORDS 32u               /* of the processor's generator */
#define RETRIES 64u             /* RDSEED may be slow for other domains' sake */
#define STUCK_MAX 2u            /* words that repeat the one before: a broken generator (some say only ones) */
#define JITTER_PER_BIT 4u       /* samples that count as one bit */
#define JITTER_TRIES 65536u     /* before its clock is held to be too even */

static uint32_t key[8];

/* ---- the generator ---- */

void random_bytes(void *out, size_t n)
{
    static const uint32_t nonce[3];
    uint8_t block[CHACHA20_BLOCK], *to = out;
    uint32_t next[8], counter = 0;
    size_t at = sizeof(next), k;

    chacha20_block(block, key, counter++, nonce);
    memcpy(next, block, sizeof(next));          /* the first half is the next key */
    while (n) {
        if (at == sizeof(block)) {
            chacha20_block(block, key, counter++, nonce);
            at = 0;
        }
        k = MIN(n, sizeof(block) - at);
        memcpy(to, block + at, k);
        to += k;
        n -= k;
        at += k;
    }
    memcpy(key, next, sizeof(key));
    memset(block, 0, sizeof(block));
    memset(next, 0, sizeof(next));
    __asm__ volatile("" : : "r"(block), "r"(next) : "memory");  /* they are really overwritten */
}

uint64_t random_place(uint64_t n)
{
    uint64_t chance;

    if (!boot.places_by_chance)
        return 0;
    random_bytes(&chance, sizeof(chance));
    return chance % n * PAGE;
}

void random_mix(const void *bytes, size_t n)
{
    uint64_t now = rdtsc();
    struct blake2s b;

    blake2s_init(&b);
    blake2s_add(&b, key, sizeof(key));
    blake2s_add(&b, &now, sizeof(now));
    blake2s_add(&b, bytes, n);
    blake2s_end(&b, (uint8_t *)key);
}

/* ---- sources ---- */

enum source { PROCESSOR = 1, JITTER = 2, SEED = 4 };

/* The set of those that count. */
static unsigned counted(void)
{
    static const char *const names[] = { "processor", "jitter", "seed" };
    const char *v = kernel_option("kernel.random=");
    unsigned set = 0;

    if (!v)
        return PROCESSOR | JITTER | SEED;
    for (;; v++) {
        size_t n = 0, i = 0;

        while (v[n] && v[n] != ',' && v[n] != ' ')
            n++;
        while (i < ARRAY_LENGTH(names) && (strlen(names[i]) != n || memcmp(names[i], v, n) != 0))
            i++;
        if (i == ARRAY_LENGTH(names))
            panic("bad command line: kernel.random is a list of processor, jitter, seed");
        set |= 1u << i;
        v += n;
        if (*v != ',')
            return set;
    }
}

/* Bits that count: all or nothing. */
static unsigned from_processor(struct blake2s *b, bool (*get)(uint64_t *))
{
    uint64_t v, before = 0;
    unsigned stuck = 0;

    for (unsigned i = 0; i < WORDS; i++) {
        unsigned tries = RETRIES;

        while (!get(&v))
            if (!--tries)
                return 0;
        stuck += v == before;
        before = v;
        blake2s_add(b, &v, sizeof(v));
    }
    return stuck > STUCK_MAX ? 0 : KEY_BITS;
}

/* Something whose time depends on caches and on the machine's other guests. */
static void work(uint64_t seed)
{
    static volatile uint8_t memory[8192];

    for (unsigned i = 0; i < 64; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        memory[seed >> 51]++;
    }
}

/* A sample counts if the time it took, the change of that, and the change of the change all differ from nothing. */
static unsigned from_jitter(struct blake2s *b, unsigned bits)
{
    uint64_t last = rdtsc(), delta = 0, change = 0;
    unsigned good = 0;

    for (unsigned i = 0; i < JITTER_TRIES && good < bits * JITTER_PER_BIT; i++) {
        uint64_t now, d, c;

        work(last);
        now = rdtsc();
        d = now - last;
        c = d - delta;
        good += d && c && c != change;
        last = now;
        delta = d;
        change = c;
        blake2s_add(b, &now, sizeof(now));
    }
    return good / JITTER_PER_BIT;
}

/* The bits that count, of RDSEED or RDRAND. */
static unsigned from_generators(struct blake2s *b)
{
    uint32_t features[4], more[4];
    unsigned bits = 0;

    cpuid(0, 0, features);
    if (features[0] >= 7) {
        cpuid(7, 0, more);
        if (more[1] & CPUID_RDSEED)
            bits = from_processor(b, rdseed);
    }
    cpuid(1, 0, features);
    if (bits < KEY_BITS && (features[2] & CPUID_RDRAND))
        bits = from_processor(b, rdrand);
    return bits;
}

/* from dom0, which knows our memory anyway: what it calls a seed is one. */
static bool from_dom0(struct blake2s *b)
{
    uint8_t seed[SEED_MAX];
    size_t n = seed_take(seed);

    blake2s_add(b, seed, n);
    memset(seed, 0, sizeof(seed));
    __asm__ volatile("" : : "r"(seed) : "memory");
    return n >= SEED_MIN;
}

void random_init(void)
{
    unsigned counts = counted(), processor, jitter;
    uint64_t wall = time_wall();
    struct blake2s b;

    blake2s_init(&b);
    blake2s_add(&b, &wall, sizeof(wall));
    blake2s_add(&b, boot.command_line, sizeof(boot.command_line));
    processor = from_generators(&b);
    if (!(counts & PROCESSOR))
        processor = 0;
    jitter = from_jitter(&b, processor < KEY_BITS ? KEY_BITS : KEY_BITS / 16);
    if (!(counts & JITTER))
        jitter = 0;
    if (processor < KEY_BITS && jitter < KEY_BITS && !((counts & SEED) && from_dom0(&b)))
        panic("no randomness: none from the processor (RDRAND), %u of %u bits from the jitter of its clock, and no seed of %u bytes "
              "in xenstore's " SEED_NODE, jitter, KEY_BITS, SEED_MIN);
    blake2s_end(&b, (uint8_t *)key);
}

/* ---- the system call ---- */

int64_t sys_getrandom(const uint64_t a[6])
{
    uint8_t part[256];
    uint64_t done = 0, n = MIN(a[1], LINUX_RW_MAX);

    if (a[2] & ~(uint64_t)(GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE) ||
        (a[2] & (GRND_RANDOM | GRND_INSECURE)) == (GRND_RANDOM | GRND_INSECURE))
        return -EINVAL;
    while (done < n) {
        size_t k = MIN(n - done, sizeof(part));

        random_bytes(part, k);
        if (user_out(a[0] + done, part, k) < 0)
            return done ? (int64_t)done : -EFAULT;
        done += k;
    }
    return (int64_t)done;
}
