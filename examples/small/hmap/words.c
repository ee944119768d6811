// Counts the words of its input: keys are texts that the map copies.
#include <hmap/hmap_typed.h>
#include <stdio.h>

HMAP_DEFINE_OWN_STRINGS(words, unsigned)

int main(void)
{
	struct words *counts = NULL;
	struct hmap_iterator it;
	const struct hmap_string *word;
	unsigned *count, most = 0;
	char text[64];

	if (words_create(NULL, &counts) != HMAP_OK)
		return 1;
	while (scanf("%63s", text) == 1) {
		enum hmap_status status =
		    words_get_or_put(counts, text, strlen(text), 0, &count, NULL);

		if (status != HMAP_OK) {
			fprintf(stderr, "words: %s\n", hmap_status_text(status));
			return 1;
		}
		++*count;
	}
	for (words_iterate(counts, &it); words_next(&it, &word, &count);)
		if (*count > most)
			most = *count;
	printf("%zu different words, the most frequent %u times\n", words_count(counts), most);
	words_destroy(counts);
	return 0;
}
