#include "tally.h"

#include <string.h>

/*
 * A mark: the row in the upper 10 bits, the kind in 2, and in the lowest 4 which reason it was left
 * for, counted from 1; 0 is no mark, 15 a page that is done with.
 */
_Static_assert(PM_RANKS_MAX <= 1 << 10 && PM_KINDS <= 1 << 2, "a mark has 10 and 2 bits for these");
_Static_assert(PM_COLUMNS - PM_SHARED_PAGE < PM_MARK_DONE, "a mark has 4 bits for the reason");

static pm_mark owe(uint32_t rank, uint32_t kind, enum pm_column column)
{
	return (pm_mark)(rank << 6 | kind << 4 | (column - PM_SHARED_PAGE + 1));
}

static uint32_t owed_kind(pm_mark mark)
{
	return mark >> 4 & 3;
}

static enum pm_column owed_column(pm_mark mark)
{
	return (enum pm_column)((mark & 15) - 1 + PM_SHARED_PAGE);
}

bool pm_is_out(pm_mark mark)
{
	return pm_is_owed(mark) && owed_column(mark) >= PM_OUT_BUSY;
}

bool pm_is_held(pm_mark mark)
{
	return pm_is_out(mark) && owed_column(mark) != PM_UNSEEN;
}

static void add(const struct pm_tally *tally, uint32_t rank, uint32_t kind, enum pm_column column,
		int change)
{
	tally->counts[(rank * PM_KINDS + kind) * PM_COLUMNS + column] += change;
}

void pm_count(const struct pm_tally *tally, uint32_t slot, uint32_t rank, uint32_t kind,
	      enum pm_column column)
{
	pm_mark *mark = &tally->marks[slot];

	if (pm_is_owed(*mark)) {
		rank = pm_owed_rank(*mark);
		kind = owed_kind(*mark);
		add(tally, rank, kind, owed_column(*mark), -1);
	} else {
		add(tally, rank, kind, PM_ASKED, 1);
	}
	add(tally, rank, kind, column, 1);
	if (column >= PM_SHARED_PAGE)
		*mark = owe(rank, kind, column);
	else
		*mark = tally->once && column != PM_VANISHED ? PM_MARK_DONE : PM_NO_MARK;
}

/* Whether no page of a run has a mark, and none will get one. */
static bool is_plain(const struct pm_tally *tally, uint32_t slot, uint32_t length,
		     enum pm_column column)
{
	const pm_mark *marks = &tally->marks[slot];

	if (tally->once || column >= PM_SHARED_PAGE || marks[0] != PM_NO_MARK)
		return false;
	return memcmp(marks, marks + 1, (length - 1) * sizeof(*marks)) == 0; /* all as the first */
}

void pm_count_run(const struct pm_tally *tally, uint32_t slot, uint32_t length, uint32_t rank,
		  uint32_t kind, enum pm_column column)
{
	if (is_plain(tally, slot, length, column)) {
		add(tally, rank, kind, PM_ASKED, (int)length);
		add(tally, rank, kind, column, (int)length);
		return;
	}
	for (uint32_t i = 0; i < length; i++)
		pm_count(tally, slot + i, rank, kind, column);
}

void pm_count_vanished(const struct pm_tally *tally, uint32_t from, uint32_t to)
{
	for (uint32_t slot = from; slot < to; slot++) {
		if (pm_is_owed(tally->marks[slot]) && !pm_is_out(tally->marks[slot]))
			pm_count(tally, slot, 0, 0, PM_VANISHED);
	}
}
