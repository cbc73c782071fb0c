#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include "batch.h"

#include <sys/mman.h>
#include <unistd.h>

#include "frames.h"
#include "syscalls.h"

/*
 * A 32-bit process that asks for more at once gets garbage from many kernels: compat pointers were
 * read at the stride of native ones from the second chunk of DO_PAGES_STAT_CHUNK_NR on.
 */
#define QUERY_MAX (sizeof(void *) == 4 ? 16 : SIZE_MAX)

/* -- looking */

int pm_query(int pid, void **addresses, size_t count, int *ret_status)
{
	for (size_t done = 0; done < count;) {
		size_t some = count - done < QUERY_MAX ? count - done : QUERY_MAX;
		long result = pm_move_pages(pid, some, addresses + done, NULL, ret_status + done,
					    0);

		if (result < 0)
			return (int)result;
		done += some;
	}
	return 0;
}

/*
 * Asks for transparent huge pages, of which one may be that of zeros: Linux 6.7 to 6.15 takes it for
 * any other when it scans (pagemap_thp_category() in fs/proc/task_mmu.c), and its frame is somewhere.
 */
static int ask_for_huge(struct pm_batch *batch)
{
	for (size_t first = 0, end; first < batch->count; first = end + 1) {
		for (end = first; end < batch->count && batch->pages[end].thp; end++)
			batch->addresses[end] = pm_at(batch->pages[end].address);

		int error = pm_query(batch->subject->pid, batch->addresses + first, end - first,
				     batch->status + first);

		if (error < 0)
			return error;
	}
	return 0;
}

/*
 * Writes the node of each page to batch->status, or the negative errno that the kernel gives for it.
 * Returns 0 or -errno, and then has written nothing of use.
 */
static int find_nodes(struct pm_batch *batch)
{
	if (pm_nodes_by_frame(batch->subject, batch->pages, batch->count, batch->status))
		return ask_for_huge(batch);
	for (size_t i = 0; i < batch->count; i++)
		batch->addresses[i] = pm_at(batch->pages[i].address);
	return pm_query(batch->subject->pid, batch->addresses, batch->count, batch->status);
}

/* What the look alone decides. */
static int judge(const struct pm_batch *batch, const struct pm_page *page, const int32_t *targets)
{
	pm_mark mark = batch->step->tally.marks[pm_slot_of(batch, page->address)];
	bool owed = pm_is_owed(mark);

	if (pm_is_done(mark))
		return PM_NOT_COUNTED;
	if (pm_is_hidden(batch->subject, page->address, page->node)) {
		if (owed)
			return PM_HIDDEN;
		batch->step->hidden += page->span;
		return PM_NOT_COUNTED;
	}
	if (owed && targets && targets[pm_owed_rank(mark)] == page->node)
		return PM_MOVED;
	if (pm_route_of(batch->subject, page->node)->target >= 0)
		return PM_ASKED;
	return owed ? PM_VANISHED : PM_NOT_COUNTED;
}

int pm_batch_look(struct pm_batch *batch, const int32_t *targets)
{
	int error = find_nodes(batch);

	for (size_t i = 0; i < batch->count; i++) {
		struct pm_page *page = &batch->pages[i];

		page->node = error < 0 ? error : batch->status[i];
		if (error == 0)
			page->outcome = judge(batch, page, targets);
		else /* what is owed is counted if its memory is gone, and else stays so */
			page->outcome = pm_was_left(batch, page) ? PM_ASKED : PM_NOT_COUNTED;
	}
	return error;
}

/* -- counting */

/* What is left to say of a page when its memory is gone, or when the step did not come to it. */
static void conclude(struct pm_page *page, bool gone, bool failed)
{
	if (page->outcome != PM_NOT_COUNTED && gone)
		page->outcome = PM_VANISHED;
	else if (page->outcome == PM_ASKED && failed)
		page->outcome = PM_NOT_COUNTED;
}

/* The number of the first base page that the step has not gone over. */
static uint32_t next_slot(const struct pm_batch *batch)
{
	const struct pm_step *step = batch->step;

	if (step->cursor.address)
		return pm_slot_of(batch, step->cursor.address);
	if (step->cursor.segment == 0)
		return 0;
	return pm_slot_of(batch, step->cursor.segment < step->count
					 ? step->segments[step->cursor.segment].start
					 : step->end);
}

/* The next page to count, from number @at on, which moves; neighbours of one fate are joined. */
static struct pm_page next_run(const struct pm_batch *batch, size_t *at)
{
	struct pm_page run = batch->pages[(*at)++];
	uint64_t size = batch->subject->memory.page_size;
	uint64_t end = run.address + run.span * size;

	for (; *at < batch->count; (*at)++) {
		const struct pm_page *page = &batch->pages[*at];

		if (page->address != end || page->node != run.node || page->kind != run.kind ||
		    page->outcome != run.outcome || page->thp != run.thp)
			break;
		run.span += page->span;
		end += page->span * size;
	}
	return run;
}

int pm_batch_count(struct pm_batch *batch, int error,
		   void (*count_page)(struct pm_batch *batch, const struct pm_page *page))
{
	bool gone = error == -ESRCH || error == -EINVAL || pm_memory_gone(&batch->subject->memory);
	uint32_t from = batch->from;

	for (size_t i = 0; i < batch->count;) {
		struct pm_page run = next_run(batch, &i);
		uint32_t slot = pm_slot_of(batch, run.address);

		pm_count_vanished(&batch->step->tally, from, slot);
		conclude(&run, gone, error < 0);
		if (run.outcome != PM_NOT_COUNTED)
			count_page(batch, &run);
		from = slot + run.span;
	}
	pm_count_vanished(&batch->step->tally, from, next_slot(batch));
	return gone ? -ESRCH : error;
}

void pm_count_whole(struct pm_batch *batch, const struct pm_page *page, int outcome)
{
	const struct pm_route *route = pm_route_of(batch->subject, page->node);

	pm_count_run(&batch->step->tally, pm_slot_of(batch, page->address), page->span, route->rank,
		     page->kind, (enum pm_column)outcome);
}

/* -- opening and closing */

int pm_batch_open(struct pm_batch *batch)
{
	struct pm_step *step = batch->step;
	long found;

	batch->pages = pm_array(step->limit, sizeof(*batch->pages));
	batch->addresses = pm_array(step->limit, sizeof(*batch->addresses));
	batch->status = pm_array(step->limit, sizeof(*batch->status));
	if (!batch->pages || !batch->addresses || !batch->status)
		return -ENOMEM;
	batch->from = next_slot(batch);
	found = pm_collect(&batch->subject->memory, step->segments, step->count, step->limit,
			   &step->cursor, batch->pages);
	if (found < 0)
		return (int)found;
	batch->count = (size_t)found;
	for (size_t i = 0; i < batch->count; i++)
		step->looked_at += batch->pages[i].span;
	return 0;
}

void pm_batch_close(struct pm_batch *batch)
{
	free(batch->pages);
	free(batch->addresses);
	free(batch->status);
}

bool pm_hides_pages(void)
{
	size_t size = (size_t)sysconf(_SC_PAGESIZE);
	void *page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int status = 0;

	if (page == MAP_FAILED)
		return false;
	*(volatile char *)page = 1;
	/* As balancing does it: in memory, and not accessible. */
	if (mprotect(page, size, PROT_NONE) < 0 || pm_query(0, &page, 1, &status) < 0)
		status = 0;
	munmap(page, size);
	return status == -ENOENT;
}
