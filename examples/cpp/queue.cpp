// A queue and a document store in C++: queue STORE
#include <sprongus.hpp>

#include <iostream>

int main(int count, char **arguments) try {
    if (count < 2) {
        std::cerr << "usage: queue STORE\n";
        return 2;
    }
    sprongus::Store store(arguments[1]);
    store.transaction([](sprongus::Tx &tx) {
        tx.upsert_entry("studio", "assets", R"({"title": "Coburg", "year": 1921})", "a-1");
        tx.enqueue("thumbnail", R"({"asset": "a-1"})");
    });
    for (const sprongus::Run &run : store.claim_next("example")) {
        std::cout << run.kind() << ' ' << run.input() << '\n';
        store.succeed(run, R"({"width": 320})");
    }
    for (const sprongus::Entry &entry : store.list_entries("studio", "assets").items) {
        std::cout << entry.id() << ' ' << entry.payload() << '\n';
    }
    return 0;
} catch (const sprongus::Error &error) {
    std::cerr << error.name() << ": " << error.what() << '\n';
    return 1;
}
