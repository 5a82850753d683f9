// What every call on a store or a transaction needs. Included by sprongus.hpp.
#ifndef SPRONGUS_CALLS_HPP
#define SPRONGUS_CALLS_HPP

#include "records.hpp"

namespace sprongus {

// A store or a transaction, as the functions of sprongus.h take it.
class Calls {
public:
    Calls(const Calls &) = delete;
    Calls &operator=(const Calls &) = delete;

    // What the calls of sprongus.h take as `store_or_tx`.
    const void *on() const noexcept { return on_; }

protected:
    explicit Calls(const void *on) : on_(on) {}
    // What was moved from is nothing to call any more.
    Calls(Calls &&from) noexcept : on_(std::exchange(from.on_, nullptr)) {}
    Calls &operator=(Calls &&from) noexcept {
        on_ = std::exchange(from.on_, nullptr);
        return *this;
    }
    ~Calls() = default;

    template <typename Call>
    static Run run(Call call) {
        sprongus_run *raw = nullptr;
        check([&](sprongus_error **error) { return call(&raw, error); });
        return Run(detail::Handle<sprongus_run, sprongus_run_free>(raw).get());
    }

    template <typename Call>
    static Entry entry(Call call) {
        sprongus_entry *raw = nullptr;
        check([&](sprongus_error **error) { return call(&raw, error); });
        return Entry(detail::Handle<sprongus_entry, sprongus_entry_free>(raw).get());
    }

    template <typename Call>
    static Preset preset(Call call) {
        sprongus_preset *raw = nullptr;
        check([&](sprongus_error **error) { return call(&raw, error); });
        return Preset(detail::Handle<sprongus_preset, sprongus_preset_free>(raw).get());
    }

    template <typename Call>
    static Approval approval(Call call) {
        sprongus_approval *raw = nullptr;
        check([&](sprongus_error **error) { return call(&raw, error); });
        return Approval(detail::Handle<sprongus_approval, sprongus_approval_free>(raw).get());
    }

    template <typename Call>
    static Page<Run> runs(Call call) {
        sprongus_run_list *raw = nullptr;
        check([&](sprongus_error **error) { return call(&raw, error); });
        detail::Handle<sprongus_run_list, sprongus_run_list_free> list(raw);
        return page<Run>(raw, sprongus_run_list_count, sprongus_run_list_at, sprongus_run_list_next_cursor);
    }

    template <typename T, typename List, typename Count, typename At, typename Next>
    static Page<T> page(const List *list, Count count, At at, Next next) {
        Page<T> all;
        all.next_cursor = detail::maybe(next(list));
        all.items.reserve(count(list));
        for (size_t index = 0; index < count(list); index++) all.items.emplace_back(at(list, index));
        return all;
    }

    const void *on_;
};

}  // namespace sprongus

#endif  // SPRONGUS_CALLS_HPP
