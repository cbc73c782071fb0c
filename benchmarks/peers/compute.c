/* Pure computation in threads: what a second core is worth on this machine. */
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

enum {
	THREADS_MAX = 64
};

struct share {
	uint64_t rounds;
	uint64_t number;
};

static void *compute(void *argument)
{
	struct share *share = argument;
	uint64_t number = share->rounds;

	for (uint64_t i = 0; i < share->rounds; i++)
		number = number * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	share->number = number;
	return NULL;
}

/* Each of `threads` goes through its share of `rounds`. Returns the sum of what they find. */
uint64_t peer_compute(int threads, uint64_t rounds)
{
	struct share shares[THREADS_MAX] = {{.rounds = rounds / (uint64_t)threads}};
	pthread_t others[THREADS_MAX];
	uint64_t sum;
	int started = 1;

	for (; started < threads && started < THREADS_MAX; started++) {
		shares[started] = shares[0];
		if (pthread_create(&others[started], NULL, compute, &shares[started]) != 0)
			break;
	}
	compute(&shares[0]);
	sum = shares[0].number;
	while (--started > 0) {
		pthread_join(others[started], NULL);
		sum += shares[started].number;
	}
	return sum;
}
