#include "nodelist.h"

#include <stdbool.h>
#include <string.h>

/* A place in the text; `next` moves, and is where an error is reported. */
struct cursor {
	const char *next;
	const char *end;
};

/*
 * One region: first-last, of which each run of `group` nodes keeps its first `used`. A `single` node
 * takes no group, as in bitmap_parse_region() of the kernel.
 */
struct region {
	unsigned int first;
	unsigned int last;
	unsigned int used;
	unsigned int group;
	bool single;
};

/* Where nodes are set. `capacity` is in bits; `size` the bytes in use so far. */
struct target {
	uint8_t *bitmap;
	unsigned int capacity;
	size_t size;
};

static bool test_bit(const uint8_t *bitmap, unsigned int bit)
{
	return bitmap[bit / 8] >> (bit % 8) & 1;
}

/* White space as in isspace() of the C locale. */
static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static void skip_space(struct cursor *at)
{
	while (at->next < at->end && is_space(*at->next))
		at->next++;
}

static bool take(struct cursor *at, char c)
{
	if (at->next == at->end || *at->next != c)
		return false;
	at->next++;
	return true;
}

static bool take_all(struct cursor *at)
{
	static const char word[] = {'a', 'l', 'l'};

	if (at->end - at->next < 3)
		return false;
	for (int i = 0; i < 3; i++) {
		if ((at->next[i] | 0x20) != word[i])
			return false;
	}
	at->next += 3;
	return true;
}

/* A decimal number below @capacity. The cursor stays in front of a number that is too large. */
static int take_number(struct cursor *at, unsigned int capacity, unsigned int *ret)
{
	const char *c = at->next;
	unsigned int number = 0;

	if (c == at->end || !is_digit(*c))
		return -PM_LIST_NO_NUMBER;
	for (; c < at->end && is_digit(*c); c++) {
		number = number * 10 + (unsigned int)(*c - '0');
		if (number >= capacity)
			return -PM_LIST_TOO_LARGE;
	}
	at->next = c;
	*ret = number;
	return 0;
}

static int take_group(struct cursor *at, struct region *ret)
{
	const char *start = at->next;

	if (take_number(at, PM_NODES_MAX, &ret->used) < 0 || !take(at, '/') ||
	    take_number(at, PM_NODES_MAX, &ret->group) < 0)
		return -PM_LIST_GROUP;
	if (ret->used == 0 || ret->used > ret->group) {
		at->next = start;
		return -PM_LIST_GROUP;
	}
	return 0;
}

/* `node [- node]`; the group is left at "all of them". */
static int take_range(struct cursor *at, unsigned int capacity, struct region *ret)
{
	int error = take_number(at, capacity, &ret->first);

	if (error < 0)
		return error;
	ret->last = ret->first;
	ret->used = ret->group = 1;
	ret->single = !take(at, '-');
	if (ret->single)
		return 0;

	const char *second = at->next;

	error = take_number(at, capacity, &ret->last);
	if (error < 0)
		return error;
	if (ret->last < ret->first) {
		at->next = second;
		return -PM_LIST_REVERSED;
	}
	return 0;
}

/* Between two regions: a comma, white space, or both. Nothing may follow the last region. */
static int take_separator(struct cursor *at)
{
	const char *start = at->next;

	skip_space(at);
	if (take(at, ',')) {
		skip_space(at);
		return at->next < at->end ? 0 : -PM_LIST_NO_NUMBER;
	}
	return at->next > start || at->next == at->end ? 0 : -PM_LIST_TRAILING;
}

static void set_run(struct target *to, unsigned int first, unsigned int last)
{
	size_t first_byte = first / 8, last_byte = last / 8;
	uint8_t head = (uint8_t)(0xff << (first % 8));
	uint8_t tail = (uint8_t)(0xff >> (7 - last % 8));

	/* Bytes are zeroed as they come into use: most lists touch a few of the thousands. */
	if (last_byte >= to->size) {
		memset(to->bitmap + to->size, 0, last_byte + 1 - to->size);
		to->size = last_byte + 1;
	}
	if (first_byte == last_byte) {
		to->bitmap[first_byte] |= head & tail;
		return;
	}
	to->bitmap[first_byte] |= head;
	memset(to->bitmap + first_byte + 1, 0xff, last_byte - first_byte - 1);
	to->bitmap[last_byte] |= tail;
}

static void set_region(struct target *to, const struct region *region)
{
	if (region->used == region->group) {
		set_run(to, region->first, region->last);
		return;
	}
	for (unsigned int first = region->first; first <= region->last; first += region->group) {
		unsigned int last = first + region->used - 1;

		set_run(to, first, last < region->last ? last : region->last);
	}
}

/* 'all' with a group counts node numbers as the kernel does, and keeps those that are allowed. */
static void set_all(struct target *to, const struct region *region, const uint8_t *allowed,
		    size_t size)
{
	for (unsigned int node = 0; node < size * 8; node++) {
		if (test_bit(allowed, node) && node % region->group < region->used)
			set_run(to, node, node);
	}
}

/* One region, with its group, into @to. @allowed is needed for 'all' only. */
static int parse_region(struct cursor *at, const uint8_t *allowed, size_t size, struct target *to)
{
	struct region region = {.used = 1, .group = 1};
	bool all = take_all(at);
	int error = 0;

	if (all && !allowed)
		return -PM_LIST_NEEDS_ALLOWED;
	if (!all)
		error = take_range(at, to->capacity, &region);
	if (error == 0 && !region.single && take(at, ':'))
		error = take_group(at, &region);
	if (error < 0)
		return error;
	if (all)
		set_all(to, &region, allowed, size);
	else
		set_region(to, &region);
	return 0;
}

static int parse_regions(struct cursor *at, const uint8_t *allowed, size_t size, struct target *to)
{
	do {
		int error = parse_region(at, allowed, size, to);

		if (error == 0)
			error = take_separator(at);
		if (error < 0)
			return error;
	} while (at->next < at->end);
	return 0;
}

/* Drops white space at both ends. */
static struct cursor trim(const char *text, size_t len)
{
	struct cursor at = {.next = text, .end = text + len};

	skip_space(&at);
	while (at.end > at.next && is_space(at.end[-1]))
		at.end--;
	return at;
}

/* As many ranks as there are allowed nodes: what 'all' means where ranks are counted. */
static size_t ranks_of(const uint8_t *allowed, size_t size, uint8_t *ret_ranks)
{
	struct target ranks = {.bitmap = ret_ranks, .capacity = PM_NODES_MAX};
	unsigned int rank = 0;

	for (unsigned int node = 0; node < size * 8; node++) {
		if (test_bit(allowed, node)) {
			set_run(&ranks, rank, rank);
			rank++;
		}
	}
	return ranks.size;
}

/* Ranks among the allowed nodes become node numbers. */
static int apply_ranks(struct target *to, const uint8_t *allowed, size_t size)
{
	uint8_t ranks[PM_BITMAP_MAX];
	size_t ranks_size = to->size;
	unsigned int rank = 0;

	memcpy(ranks, to->bitmap, ranks_size);
	to->size = 0;
	for (unsigned int node = 0; node < size * 8; node++) {
		if (!test_bit(allowed, node))
			continue;
		if (rank < ranks_size * 8 && test_bit(ranks, rank))
			set_run(to, node, node);
		rank++;
	}
	for (; rank < ranks_size * 8; rank++) {
		if (test_bit(ranks, rank))
			return -PM_LIST_RANK;
	}
	return 0;
}

static int parse_ranks(struct cursor *at, const uint8_t *allowed, size_t size, struct target *to)
{
	uint8_t ranks[PM_BITMAP_MAX] = {0}; /* gcc does not see that it is read as far as written */
	const char *start = at->next - 1;
	int error = parse_regions(at, ranks, ranks_of(allowed, size, ranks), to);

	if (error == 0) {
		at->next = start;
		error = apply_ranks(to, allowed, size);
	}
	return error;
}

static void invert(struct target *to, const uint8_t *allowed, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		uint8_t taken = i < to->size ? to->bitmap[i] : 0;

		to->bitmap[i] = allowed[i] & (uint8_t)~taken;
	}
	to->size = size;
}

static int parse_list(struct cursor *at, const uint8_t *allowed, size_t size, struct target *to)
{
	bool inverted = take(at, '!');
	bool ranked = take(at, '+');

	if ((inverted || ranked) && !allowed)
		return -PM_LIST_NEEDS_ALLOWED;

	int error = ranked ? parse_ranks(at, allowed, size, to)
			   : parse_regions(at, allowed, size, to);

	if (error == 0 && inverted)
		invert(to, allowed, size);
	return error;
}

int pm_nodelist_parse(const char *text, size_t len, const uint8_t *allowed, size_t allowed_size,
		      uint8_t *ret_bitmap, size_t *ret_where)
{
	struct cursor at = trim(text, len);
	struct target to = {.bitmap = ret_bitmap, .capacity = PM_NODES_MAX};
	int error = at.next == at.end ? -PM_LIST_EMPTY
				      : parse_list(&at, allowed, allowed_size, &to);

	if (error < 0) {
		*ret_where = (size_t)(at.next - text);
		return error;
	}
	return (int)to.size;
}

int64_t pm_nodelist_parse_small(const char *text, size_t len)
{
	uint8_t bitmap[8];
	struct cursor at = trim(text, len);
	struct target to = {.bitmap = bitmap, .capacity = 63};
	int64_t nodes = 0;

	if (len > PM_LIST_SMALL_MAX || parse_list(&at, NULL, 0, &to) < 0)
		return -1;
	for (size_t i = 0; i < to.size; i++)
		nodes |= (int64_t)bitmap[i] << (8 * i);
	return nodes;
}

size_t pm_nodelist_length_max(size_t size)
{
	/* The worst is every second node by itself: a comma and five digits for two bits. */
	return size * 4 * sizeof("32767");
}

static size_t write_number(unsigned int number, char *ret_text)
{
	char digits[sizeof("32767")];
	size_t len = 0;

	do {
		digits[len++] = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	for (size_t i = 0; i < len; i++)
		ret_text[i] = digits[len - 1 - i];
	return len;
}

size_t pm_nodelist_format(const uint8_t *bitmap, size_t size, char *ret_text)
{
	unsigned int bits = (unsigned int)size * 8;
	char *out = ret_text;

	for (unsigned int node = 0; node < bits; node++) {
		if (!test_bit(bitmap, node))
			continue;

		unsigned int last = node;

		while (last + 1 < bits && test_bit(bitmap, last + 1))
			last++;
		if (out != ret_text)
			*out++ = ',';
		out += write_number(node, out);
		if (last > node) {
			*out++ = '-';
			out += write_number(last, out);
		}
		node = last;
	}
	return (size_t)(out - ret_text);
}
