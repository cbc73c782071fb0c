#include "numa_maps.h"

#include <errno.h>
#include <string.h>

/* A place in the line. */
struct cursor {
	const char *next;
	const char *end;
};

/* What stands between two spaces. `value` is what follows '='; it starts at NULL without one. */
struct token {
	const char *name;
	size_t name_length;
	struct cursor value;
};

/* Fields with a count, and where it goes. */
static const struct key {
	const char *name;
	size_t member;
} keys[] = {
	{"anon", offsetof(struct pm_numa_line, anon)},
	{"dirty", offsetof(struct pm_numa_line, dirty)},
	{"mapped", offsetof(struct pm_numa_line, total)},
	{"mapmax", offsetof(struct pm_numa_line, mapmax)},
	{"swapcache", offsetof(struct pm_numa_line, swapcache)},
	{"active", offsetof(struct pm_numa_line, active)},
	{"writeback", offsetof(struct pm_numa_line, writeback)},
	{"kernelpagesize_kB", offsetof(struct pm_numa_line, page_size)},
};

/* The value of a digit as the kernel writes it, or -1. */
static int digit_value(char c, unsigned int base)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (base == 16 && c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

static int take_number(struct cursor *at, unsigned int base, uint64_t *ret)
{
	const char *first = at->next;
	uint64_t number = 0;

	for (; at->next < at->end; at->next++) {
		int digit = digit_value(*at->next, base);

		if (digit < 0)
			break;
		if (number > (UINT64_MAX - (unsigned int)digit) / base)
			return -EBADMSG;
		number = number * base + (unsigned int)digit;
	}
	if (at->next == first)
		return -EBADMSG;
	*ret = number;
	return 0;
}

/* A number and nothing after it. */
static int parse_count(struct cursor at, uint64_t *ret)
{
	int error = take_number(&at, 10, ret);

	return error < 0 || at.next < at.end ? -EBADMSG : 0;
}

static struct token take_token(struct cursor *at)
{
	struct token token = {.name = at->next};
	const char *c = at->next;

	while (c < at->end && *c != ' ' && *c != '=')
		c++;
	token.name_length = (size_t)(c - at->next);
	if (c < at->end && *c == '=')
		token.value.next = ++c;
	while (c < at->end && *c != ' ')
		c++;
	token.value.end = c;
	at->next = c < at->end ? c + 1 : c;
	return token;
}

static bool is_named(const struct token *token, const char *name)
{
	/* The first character spares most of the calls. */
	return token->name[0] == name[0] && strncmp(token->name, name, token->name_length) == 0 &&
	       name[token->name_length] == '\0';
}

static bool is_node(const struct token *token)
{
	return token->name_length > 1 && token->name[0] == 'N' &&
	       digit_value(token->name[1], 10) >= 0;
}

static int set_node(struct pm_numa_line *line, const struct token *token)
{
	struct cursor name = {.next = token->name + 1, .end = token->name + token->name_length};
	uint64_t node, pages;

	if (parse_count(name, &node) < 0 || parse_count(token->value, &pages) < 0)
		return -EBADMSG;
	if (node >= PM_NUMA_MAPS_NODES || line->nodes == PM_NUMA_MAPS_NODES)
		return -EBADMSG;
	line->node[line->nodes] = (unsigned int)node;
	line->pages[line->nodes] = pages;
	line->nodes++;
	return 0;
}

static bool set_flag(struct pm_numa_line *line, const struct token *token)
{
	if (is_named(token, "heap"))
		line->heap = true;
	else if (is_named(token, "stack"))
		line->stack = true;
	else if (is_named(token, "huge"))
		line->huge = true;
	else
		return false;
	return true;
}

/* A field into @line. Returns 1 if the token is one, 0 if it is something else, or -EBADMSG. */
static int set_field(struct pm_numa_line *line, const char *text, const struct token *token)
{
	if (!token->value.next)
		return set_flag(line, token);
	if (is_node(token))
		return set_node(line, token) < 0 ? -EBADMSG : 1;
	if (is_named(token, "file")) {
		line->path = (size_t)(token->value.next - text);
		line->path_length = (size_t)(token->value.end - token->value.next);
		return 1;
	}
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (is_named(token, keys[i].name)) {
			void *member = (char *)line + keys[i].member;

			return parse_count(token->value, member) < 0 ? -EBADMSG : 1;
		}
	}
	return 0;
}

/* The policy is the first word, and those after it that are no field. */
static int parse_fields(struct cursor *at, const char *text, struct pm_numa_line *line)
{
	struct token token = take_token(at);
	bool in_policy = true;

	line->policy = (size_t)(token.name - text);
	line->policy_length = (size_t)(token.value.end - token.name);
	if (line->policy_length == 0)
		return -EBADMSG;
	while (at->next < at->end) {
		int found;

		token = take_token(at);
		found = set_field(line, text, &token);
		if (found < 0)
			return found;
		if (found)
			in_policy = false;
		else if (in_policy)
			line->policy_length = (size_t)(token.value.end - text) - line->policy;
	}
	return 0;
}

/* Says what the kernel leaves out because it follows from the rest. */
static int complete(struct pm_numa_line *line)
{
	line->total = 0;
	for (unsigned int i = 0; i < line->nodes; i++) {
		if (line->pages[i] > UINT64_MAX - line->total)
			return -EBADMSG;
		line->total += line->pages[i];
	}
	if (line->active == UINT64_MAX)
		line->active = line->huge ? 0 : line->total;
	if (line->page_size > UINT64_MAX / 1024)
		return -EBADMSG;
	line->page_size *= 1024;
	return 0;
}

int pm_numa_line_parse(const char *text, size_t length, struct pm_numa_line *ret_line)
{
	struct cursor at = {.next = text, .end = text + length};
	int error;

	/* Not the arrays: they are large, and `nodes` says what of them counts. */
	memset(ret_line, 0, offsetof(struct pm_numa_line, node));
	ret_line->active = UINT64_MAX;

	error = take_number(&at, 16, &ret_line->start);
	if (error < 0 || at.next == at.end || *at.next++ != ' ')
		return -EBADMSG;
	error = parse_fields(&at, text, ret_line);
	return error < 0 ? error : complete(ret_line);
}
