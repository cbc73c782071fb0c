/*
 * Moves a range of a process's memory as a C program does that has to be able to stop: batch by
 * batch, asking where each page is, moving those that are on the source node, counting what became
 * of each.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	MOVE_ALL = 1 << 2, /* MPOL_MF_MOVE_ALL */
	THREADS_MAX = 64
};

struct job {
	int pid;
	int source;
	int target;
	uint64_t end;
	uint64_t page_size; /* of what is moved: of a base page, or of a huge one */
	uint64_t batch_size;
	_Atomic uint64_t next;
	_Atomic long moved;
	_Atomic long left;
};

struct room {
	void **addresses;
	int *targets;
	int *status;
};

static void move_batch(struct job *job, struct room *room, uint64_t start, uint64_t end)
{
	unsigned long pages = 0, listed = 0;
	long moved = 0;

	for (uint64_t at = start; at < end; at += job->page_size)
		room->addresses[pages++] = (void *)(uintptr_t)at;
	if (syscall(SYS_move_pages, job->pid, pages, room->addresses, NULL, room->status, 0) < 0)
		return;
	for (unsigned long i = 0; i < pages; i++) {
		if (room->status[i] != job->source)
			continue;
		room->addresses[listed] = room->addresses[i];
		room->targets[listed++] = job->target;
	}
	syscall(SYS_move_pages, job->pid, listed, room->addresses, room->targets, room->status,
		MOVE_ALL);
	for (unsigned long i = 0; i < listed; i++)
		moved += room->status[i] == job->target;
	atomic_fetch_add(&job->moved, moved);
	atomic_fetch_add(&job->left, (long)listed - moved);
}

static void *work(void *argument)
{
	struct job *job = argument;
	size_t most = job->batch_size / job->page_size;
	struct room room = {
		.addresses = malloc(most * sizeof(*room.addresses)),
		.targets = malloc(most * sizeof(*room.targets)),
		.status = malloc(most * sizeof(*room.status)),
	};

	while (room.addresses && room.targets && room.status) {
		uint64_t start = atomic_fetch_add(&job->next, job->batch_size);
		uint64_t end = start + job->batch_size;

		if (start >= job->end)
			break;
		move_batch(job, &room, start, end < job->end ? end : job->end);
	}
	free(room.addresses);
	free(room.targets);
	free(room.status);
	return NULL;
}

/* Returns the pages that moved. */
long peer_move(int pid, uint64_t start, uint64_t size, uint64_t page_size, uint64_t batch_size,
	       int source, int target, int threads)
{
	struct job job = {
		.pid = pid,
		.source = source,
		.target = target,
		.end = start + size,
		.page_size = page_size,
		.batch_size = batch_size,
		.next = start,
	};
	pthread_t others[THREADS_MAX];
	int started = 0;

	while (started < threads - 1 && started < THREADS_MAX &&
	       pthread_create(&others[started], NULL, work, &job) == 0)
		started++;
	work(&job);
	while (started > 0)
		pthread_join(others[--started], NULL);
	return job.moved;
}
