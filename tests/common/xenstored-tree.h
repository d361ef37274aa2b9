/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/common/xenstored-tree.h - the nodes of the scripted xenstored, and of a transaction's copy of them. */
#ifndef TESTS_COMMON_XENSTORED_TREE_H
#define TESTS_COMMON_XENSTORED_TREE_H

#include <stdbool.h>
#include <stddef.h>

struct tree_node {
    char *path, *value, *perms;         /* perms: rows as on the wire, a NUL after each */
    size_t len, perms_len;
};

struct tree {
    struct tree_node *nodes;
    size_t n, room;
};

struct tree_node *tree_find(const struct tree *t, const char *path);
/* Make a node, and those above it, if they are not there. A new one has the permissions of the one above it. */
struct tree_node *tree_make(struct tree *t, const char *path);
void tree_set(struct tree_node *n, const void *value, size_t len);
void tree_set_perms(struct tree_node *n, const void *rows, size_t len);
/* With all below it. */
void tree_remove(struct tree *t, const char *path);
/* Names of the nodes right below, a NUL after each: how many bytes; at most size are written. */
size_t tree_list(const struct tree *t, const char *path, char *names, size_t size);
void tree_copy(struct tree *to, const struct tree *from);
void tree_free(struct tree *t);
/* Is path this folder, or below it? */
bool tree_within(const char *path, const char *folder);

#endif
