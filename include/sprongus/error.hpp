// What the calls of sprongus.hpp throw, and how a status becomes it. Included by sprongus.hpp.
#ifndef SPRONGUS_ERROR_HPP
#define SPRONGUS_ERROR_HPP

#include "../sprongus.h"

#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

namespace sprongus {

namespace detail {

// Frees a handle with the function of its type.
template <typename T, void (*free_it)(T *)>
struct Free {
    void operator()(T *handle) const noexcept { free_it(handle); }
};

template <typename T, void (*free_it)(T *)>
using Handle = std::unique_ptr<T, Free<T, free_it>>;

using ErrorHandle = Handle<sprongus_error, sprongus_error_free>;

inline std::string text(const char *borrowed) {
    return borrowed ? std::string(borrowed) : std::string();
}

inline std::optional<std::string> maybe(const char *borrowed) {
    return borrowed ? std::optional<std::string>(borrowed) : std::nullopt;
}

}  // namespace detail

// Why a call failed: what() is the message. Copying it throws nothing.
class Error : public std::runtime_error {
public:
    // Of the status and the error of a call; takes the error over.
    explicit Error(int32_t status, sprongus_error *error) : Error(status, detail::ErrorHandle(error)) {}

    // SPRONGUS_ERR_….
    int32_t code() const noexcept { return more_->code; }
    // "not_found", ….
    const std::string &name() const noexcept { return more_->name; }
    // Further data as JSON; empty where there is none.
    const std::string &details() const noexcept { return more_->details; }
    // Whether the same call may succeed later without a change.
    bool retryable() const noexcept { return more_->retryable; }

private:
    struct More {
        int32_t code;
        std::string name, details;
        bool retryable;
    };

    explicit Error(int32_t status, const detail::ErrorHandle &error)
        : std::runtime_error(error ? detail::text(sprongus_error_message(error.get())) : "the call failed without an error"),
          more_(std::make_shared<const More>(More{status, detail::text(sprongus_error_name(error.get())),
                                                  detail::text(sprongus_error_details(error.get())),
                                                  sprongus_error_retryable(error.get())})) {}

    std::shared_ptr<const More> more_;
};

// Calls a function of sprongus.h and throws where it fails; for those without a method:
//
//     sprongus::check([&](sprongus_error **error) { return sprongus_store_migrate(store.get(), nullptr, error); });
template <typename Call>
void check(Call call) {
    sprongus_error *error = nullptr;
    int32_t status = call(&error);
    if (status != SPRONGUS_OK) throw Error(status, error);
}

namespace detail {

// A text for C, which would end it at a NUL within.
inline const char *c_str(const std::string &given) {
    if (given.find('\0') != std::string::npos) {
        check([](sprongus_error **error) {
            return sprongus_error_new(SPRONGUS_ERR_INVALID_ARGUMENT, "a text holds a NUL", error);
        });
    }
    return given.c_str();
}

inline const char *c_str(const std::optional<std::string> &given) {
    return given ? c_str(*given) : nullptr;
}

// The text of a buffer that a call hands over.
template <typename Call>
std::string buffer(Call call) {
    sprongus_buf *raw = nullptr;
    check([&](sprongus_error **error) { return call(&raw, error); });
    Handle<sprongus_buf, sprongus_buf_free> buf(raw);
    return std::string(sprongus_buf_data(raw), sprongus_buf_length(raw));
}

}  // namespace detail

// Runs a function of a sprongus_host or a sprongus_provider: an exception becomes the error to answer with, and never leaves the function.
template <typename Work>
int32_t guard(sprongus_error **error, Work work) noexcept {
    try {
        work();
        return SPRONGUS_OK;
    } catch (const Error &failed) {
        return sprongus_error_new(failed.code(), failed.what(), error);
    } catch (const std::exception &failed) {
        return sprongus_error_new(SPRONGUS_ERR_STORAGE, failed.what(), error);
    } catch (...) {
        return sprongus_error_new(SPRONGUS_ERR_STORAGE, "a function of the host threw", error);
    }
}

}  // namespace sprongus

#endif  // SPRONGUS_ERROR_HPP
