// Events as they come: the feed followed, and functions that are told. Included by sprongus.hpp.
#ifndef SPRONGUS_LISTEN_HPP
#define SPRONGUS_LISTEN_HPP

#include "error.hpp"

#include <functional>

namespace sprongus {

// A reader of the feed that waits for what comes; of Store::follow.
class Follow {
public:
    // Takes the handle over.
    explicit Follow(sprongus_follow *follow) : follow_(follow) {}

    // The next event, JSON, waited for at most `timeout_ms` (0: without end, SPRONGUS_NONE: not at all); none where none came.
    std::optional<std::string> next(int64_t timeout_ms = 0) {
        sprongus_buf *raw = nullptr;
        check([&](sprongus_error **error) { return sprongus_follow_next(follow_.get(), timeout_ms, &raw, error); });
        if (!raw) return std::nullopt;
        detail::Handle<sprongus_buf, sprongus_buf_free> buf(raw);
        return std::string(sprongus_buf_data(raw), sprongus_buf_length(raw));
    }

    // The position after the last event that was handed out.
    std::string cursor() const {
        return detail::buffer([&](sprongus_buf **buf, sprongus_error **error) {
            return sprongus_follow_cursor(follow_.get(), buf, error);
        });
    }

    // For good, from any thread.
    void stop() {
        check([&](sprongus_error **error) { return sprongus_follow_stop(follow_.get(), error); });
    }

private:
    detail::Handle<sprongus_follow, sprongus_follow_free> follow_;
};

// A function that is told of events; of Store::subscribe. It ends with the object.
class Subscription {
public:
    // Takes the handle over.
    explicit Subscription(sprongus_subscription *subscription) : subscription_(subscription) {}

    // How many events were not told because too many waited already.
    uint64_t missed() const noexcept { return sprongus_subscription_missed(subscription_.get()); }

private:
    friend class Store;

    // No exception leaves it: what the function throws is lost.
    static void tell(void *self, const char *event) noexcept {
        try {
            (*static_cast<std::function<void(const char *)> *>(self))(event);
        } catch (...) {
        }
    }

    static void destroy(void *self) { delete static_cast<std::function<void(const char *)> *>(self); }

    detail::Handle<sprongus_subscription, sprongus_subscription_free> subscription_;
};

}  // namespace sprongus

#endif  // SPRONGUS_LISTEN_HPP
