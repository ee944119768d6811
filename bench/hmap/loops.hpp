// The one set of timing loops that every map runs under: `bench WHAT N`, lines of "row,N,value".
//
// An adapter is a class over one map: put(key, value), get(key, value&) -> bool, erase(key) ->
// bool, each(f), size(), reserve(n) -> bool (false: has no such thing).  Keys are mixed numbers, so
// that no hash is flattered; lookups go through a shuffled copy, misses through keys that are never
// put. Times are nanoseconds per operation, the median of the repetitions within a process; the
// runner interleaves processes of all peers and takes medians again.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <string_view>
#include <vector>

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <x86intrin.h>

struct text {
	const char *at;
	uint32_t length;
};

static inline uint64_t mixed(uint64_t x)
{
	x += 0x9e3779b97f4a7c15;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}

static double now_ns()
{
	timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static volatile uint64_t sink, nothing = 0;

static void say(const char *row, size_t n, double value)
{
	printf("%s,%zu,%.4f\n", row, n, value);
	fflush(stdout);
}

static double median(std::vector<double> v)
{
	std::sort(v.begin(), v.end());
	return v[v.size() / 2];
}

template <class T> static void shuffle(std::vector<T> &v, uint64_t seed)
{
	for (size_t i = v.size(); i > 1; i--)
		std::swap(v[i - 1], v[mixed(seed++) % i]);
}

/** What is put, what is looked up, what is never there. */
template <class K> struct keys {
	std::vector<K> put, hit, miss;
	std::vector<char> bytes;
};

static constexpr size_t MOST_LOOKUPS = 1000000, FAR = (size_t)1 << 40;

static keys<uint64_t> numbers(size_t n)
{
	keys<uint64_t> k;

	for (size_t i = 0; i < n; i++)
		k.put.push_back(mixed(i + 1));
	k.hit = k.put;
	shuffle(k.hit, 7);
	k.hit.resize(std::min(n, MOST_LOOKUPS));
	for (size_t i = 0; i < k.hit.size(); i++)
		k.miss.push_back(mixed(i + FAR));
	return k;
}

/** Texts of 8 to 24 bytes with a common beginning, as keys of caches are. */
static keys<text> texts(size_t n)
{
	keys<text> k;
	char one[32];
	std::vector<uint32_t> at;

	for (size_t i = 0; i < 2 * n; i++) {
		uint64_t id = mixed(i + 1);
		unsigned digits = 3 + (unsigned)(id >> 58) % 15;
		int length = snprintf(one, sizeof(one), "usr:%zu", i);

		while ((unsigned)length < digits + 4 && length < 24)
			one[length] = (char)('a' + mixed(i + (size_t)length) % 26), length++;
		at.push_back((uint32_t)k.bytes.size());
		k.bytes.insert(k.bytes.end(), one, one + length);
	}
	at.push_back((uint32_t)k.bytes.size());
	for (size_t i = 0; i < 2 * n; i++)
		(i < n ? k.put : k.miss).push_back({ &k.bytes[at[i]], at[i + 1] - at[i] });
	k.hit = k.put;
	shuffle(k.hit, 7);
	return k;
}

/** A dependent read of a random line of 256 MiB: what the machine can do at best, right now. */
static double line_ns()
{
	static char *memory;
	const size_t lines = (size_t)1 << 22, reads = 300000;
	uint64_t x = 12345;

	if (!memory) {
		memory = (char *)aligned_alloc(4096, lines * 64);
		memset(memory, 0, lines * 64);
	}
	double t = now_ns();
	for (size_t i = 0; i < reads; i++)
		x = x * 6364136223846793005 + 1442695040888963407 +
		    *(volatile uint64_t *)(memory + 64 * (x >> 42));
	sink = x;
	return (now_ns() - t) / reads;
}

template <class F> static double each_ns(size_t repetitions, size_t operations, F f)
{
	std::vector<double> times;

	for (size_t r = 0; r < repetitions; r++) {
		double t = now_ns();

		f();
		times.push_back((now_ns() - t) / (double)operations);
	}
	return median(times);
}

template <class M, class K> static double hits(M &m, const keys<K> &k, size_t repetitions)
{
	uint64_t sum = 0;

	return each_ns(repetitions, k.hit.size(), [&] {
		uint64_t v = 0;
		size_t found = 0;

		for (const K &key : k.hit)
			if (m.get(key, v))
				sum += v, found++;
		if (found != k.hit.size())
			abort();
		sink = sum;
	});
}

template <class M, class K> static double misses(M &m, const keys<K> &k, size_t repetitions)
{
	return each_ns(repetitions, k.miss.size(), [&] {
		uint64_t v = 0;
		size_t found = 0;

		for (const K &key : k.miss)
			found += m.get(key, v);
		if (found)
			abort();
	});
}

template <class M, class K> static void throughput(const keys<K> &k, size_t n)
{
	size_t most = std::max<size_t>(3, std::min<size_t>(2000, 3000000 / n));
	std::vector<double> build, reserved, erased;
	M *kept = nullptr;

	for (size_t r = 0; r < std::max<size_t>(2, most / 3); r++) {
		M *m = new M;
		double t = now_ns();

		for (size_t i = 0; i < n; i++)
			m->put(k.put[i], i);
		build.push_back((now_ns() - t) / (double)n);
		if (m->size() != n)
			abort();
		delete kept;
		kept = m;
	}
	say("build", n, median(build));
	M &m = *kept;
	hits(m, k, 1);
	say("hit", n, hits(m, k, most));
	say("miss", n, misses(m, k, most));
	if (n >= 1000000) {
		uint64_t zero = nothing, v = 0;
		size_t count = std::min<size_t>(k.hit.size(), 300000);
		double before = line_ns(), t = now_ns();

		for (size_t i = 0; i < count; i++)
			m.get(k.hit[i + (v & zero)], v);
		t = (now_ns() - t) / (double)count;
		sink = v;
		say("dependent", n, t);
		say("dependent_by_line", n, t / ((before + line_ns()) / 2));
	}
	say("iterate", n, each_ns(std::max<size_t>(3, most / 4), n, [&] {
		    uint64_t sum = 0;

		    m.each([&](uint64_t v) { sum += v; });
		    sink = sum;
	    }));
	size_t half = std::min<size_t>(k.hit.size(), 500000);
	say("churn", n, each_ns(std::max<size_t>(1, most / 8), 4 * half, [&] {
		    for (size_t i = 0; i < half; i++)
			    m.erase(k.hit[i]), m.put(k.miss[i], i);
		    for (size_t i = 0; i < half; i++)
			    m.erase(k.miss[i]), m.put(k.hit[i], i);
	    }));
	for (size_t r = 0; r < std::max<size_t>(1, most / 8); r++) {
		double t = now_ns();
		size_t gone = 0;

		for (size_t i = n; i-- > 0;)
			gone += m.erase(k.put[i * 7919 % n]);
		erased.push_back((now_ns() - t) / (double)n);
		for (size_t i = 0; i < n; i++)
			m.put(k.put[i], i);
	}
	say("erase_all", n, median(erased));
	delete kept;
	for (size_t r = 0; r < std::max<size_t>(2, most / 3); r++) {
		M other;
		double t = now_ns();

		if (!other.reserve(n))
			return;
		for (size_t i = 0; i < n; i++)
			other.put(k.put[i], i);
		reserved.push_back((now_ns() - t) / (double)n);
	}
	say("build_reserved", n, median(reserved));
}

/** Hits and misses of a fresh map, and after `rounds` times n pairs of erase and put. */
template <class M> static void drift(size_t n, size_t rounds)
{
	M m;
	keys<uint64_t> k = numbers(n);
	size_t next = n;

	for (size_t i = 0; i < n; i++)
		m.put(k.put[i], i);
	say("fresh_hit", n, hits(m, k, 9));
	say("fresh_miss", n, misses(m, k, 9));
	for (size_t i = 0; i < rounds * n; i++, next++) {
		size_t slot = mixed(i) % n;

		m.erase(k.put[slot]);
		k.put[slot] = mixed(next + 1);
		m.put(k.put[slot], i);
	}
	k.hit = k.put;
	shuffle(k.hit, 9);
	say("worn_hit", n, hits(m, k, 9));
	say("worn_miss", n, misses(m, k, 9));
}

static double ticks_per_us()
{
	double t = now_ns();
	uint64_t c = __rdtsc();

	while (now_ns() - t < 5e7)
		;
	return (double)(__rdtsc() - c) / ((now_ns() - t) / 1e3);
}

/** Every operation timed: the least of several forked runs for each index, since what the map does
 *  comes at the same index again and what the machine does does not. */
template <class M> static void tail(size_t n, unsigned runs)
{
	double us = ticks_per_us();
	size_t bytes = 3 * n * sizeof(uint32_t);
	uint32_t *least = (uint32_t *)mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
					   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	static const char *const names[] = { "empty", "put", "erase" };

	memset(least, 255, bytes);
	for (unsigned r = 0; r < runs; r++) {
		if (fork() == 0) {
			M *m = new M;
			uint64_t worst = 0;
			unsigned core;

			for (unsigned what = 0; what < 3; what++)
				for (size_t i = 0; i < n; i++) {
					uint64_t key = mixed(i + 1), t, took;
					uint32_t &at = least[what * n + i];

					_mm_lfence();
					t = __rdtsc();
					_mm_lfence();
					if (what == 0)
						sink = key;
					else if (what == 1)
						m->put(key, i);
					else
						m->erase(key);
					took = __rdtscp(&core) - t;
					if (what == 1)
						worst = std::max(worst, took);
					at = (uint32_t)std::min<uint64_t>(at, took);
				}
			say("put_raw_max_us", n, (double)worst / us);
			_exit(0);
		}
		wait(nullptr);
	}
	for (unsigned what = 0; what < 3; what++) {
		std::vector<uint32_t> sorted(least + what * n, least + (what + 1) * n);
		static const std::pair<const char *, double> quantiles[] = {
			{ "p50", 0.5 }, { "p999", 0.999 }, { "p9999", 0.9999 }, { "max", 1 }
		};

		std::sort(sorted.begin(), sorted.end());
		for (auto &q : quantiles) {
			size_t at = std::min(n - 1, (size_t)(q.second * (double)n));

			say((std::string(names[what]) + "_" + q.first + "_us").c_str(), n,
			    sorted[at] / us);
		}
	}
}

static double status_kib(const char *field)
{
	FILE *f = fopen("/proc/self/status", "r");
	char line[256];
	double value = 0;

	while (fgets(line, sizeof(line), f))
		if (strncmp(line, field, strlen(field)) == 0)
			value = atof(line + strlen(field));
	fclose(f);
	return value;
}

/** Memory while it grows, just after, and when 99 % are gone: by the bytes of the pairs alone. */
template <class M> static void memory(size_t n)
{
	double before = status_kib("VmRSS:"), worst = 0;
	M *m = new M;
	size_t next = n / 10;

	for (size_t i = 0; i < n; i++) {
		m->put(mixed(i + 1), i);
		if (i + 1 == next) { // The peak so far, over what so many pairs are worth.
			worst = std::max(worst, (status_kib("VmHWM:") - before) * 1024 /
						    (16.0 * (double)next));
			say("memory_peak", i + 1,
			    (status_kib("VmHWM:") - before) * 1024 / (16.0 * (double)next));
			next += next / 50;
		}
	}
	double after = status_kib("VmRSS:") - before, peak = status_kib("VmHWM:") - before;

	say("peak_by_after", n, peak / after);
	say("worst_peak_by_ideal", n, worst);
	for (size_t i = 0; i < n - n / 100; i++)
		m->erase(mixed(i + 1));
	say("after_erasing_99", n, (status_kib("VmRSS:") - before) * 1024 / (16.0 * (double)n));
}

template <class U, class S> static int bench(int argc, char **argv)
{
	std::string what = argc > 1 ? argv[1] : "";
	size_t n = argc > 2 ? (size_t)atof(argv[2]) : 0;

	if (!n) {
		fprintf(stderr, "usage: %s numbers|texts|tail|memory|drift N\n", argv[0]);
		return 1;
	}
	if (what == "numbers")
		throughput<U>(numbers(n), n);
	else if (what == "texts")
		throughput<S>(texts(n), n);
	else if (what == "tail")
		tail<U>(n, 3);
	else if (what == "memory")
		memory<U>(n);
	else if (what == "drift")
		drift<U>(n, 100);
	else
		return 1;
	return 0;
}
