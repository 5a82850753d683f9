// A source of documents that a host writes in C++. Included by sprongus.hpp.
#ifndef SPRONGUS_PROVIDER_HPP
#define SPRONGUS_PROVIDER_HPP

#include "error.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace sprongus {

// One pull or push of a table. What its functions throw fails the sync: an Error of SPRONGUS_ERR_UNAVAILABLE lets it be
// tried again.
class Source {
public:
    Source() = default;
    Source(const Source &) = delete;
    Source &operator=(const Source &) = delete;
    virtual ~Source() = default;

    // The next document, a JSON object that may carry `id` and `lastUpdated`; nullopt at the end.
    virtual std::optional<std::string> next() { return std::nullopt; }

    // Takes changes, a JSON object of created, updated and deleted; the same ones again do nothing.
    virtual void push(const std::string &changes) { (void)changes; }
};

// Begins a pull or a push: the profile's config (JSON, secrets resolved), the project, the table.
using OpenSource = std::function<std::unique_ptr<Source>(const std::string &config, const std::string &project,
                                                         const std::string &table)>;

namespace detail {

// A source in C's hands.
struct OpenedSource {
    std::unique_ptr<Source> source;
    std::optional<std::string> document;
};

inline int32_t source_open(void *user_data, const char *config, const char *project, const char *table, void **session,
                           sprongus_error **error) noexcept {
    return guard(error, [&] {
        const OpenSource &open = *static_cast<OpenSource *>(user_data);
        std::unique_ptr<Source> source = open(config, project, table);
        if (!source) throw std::logic_error("the provider opened no source");
        *session = new OpenedSource{std::move(source), std::nullopt};
    });
}

inline int32_t source_next(void *session, const char **document, sprongus_error **error) noexcept {
    return guard(error, [&] {
        OpenedSource *self = static_cast<OpenedSource *>(session);
        self->document = self->source->next();
        *document = self->document ? self->document->c_str() : nullptr;
    });
}

inline int32_t source_push(void *session, const char *changes, sprongus_error **error) noexcept {
    return guard(error, [&] { static_cast<OpenedSource *>(session)->source->push(changes); });
}

inline void source_close(void *session) noexcept { delete static_cast<OpenedSource *>(session); }

inline void source_destroy(void *user_data) noexcept { delete static_cast<OpenSource *>(user_data); }

// The functions take `open` over, and end it.
inline sprongus_provider source_functions(uint32_t flags, OpenSource open) {
    sprongus_provider provider;
    SPRONGUS_INIT(provider);
    provider.flags = flags;
    provider.user_data = new OpenSource(std::move(open));
    provider.open = source_open;
    provider.next = source_next;
    provider.push = source_push;
    provider.close = source_close;
    provider.destroy = source_destroy;
    return provider;
}

}  // namespace detail

}  // namespace sprongus

#endif  // SPRONGUS_PROVIDER_HPP
