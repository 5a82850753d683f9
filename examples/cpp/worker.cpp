// A worker with handlers in C++: worker STORE
#include <sprongus.hpp>

#include <iostream>

int main(int count, char **arguments) try {
    if (count < 2) {
        std::cerr << "usage: worker STORE\n";
        return 2;
    }
    sprongus::Store store(arguments[1]);
    sprongus::Worker worker(store);
    worker.handle("greet", [](sprongus::Context &context) {
        // Done once, however often the run comes back.
        const std::string greeting = context.step("greet", [&] { return context.input(); });
        context.heartbeat("0.5");
        context.output(greeting);
    });
    worker.handle("refuse", [](sprongus::Context &) { throw sprongus::Fatal("not today"); });
    const sprongus::Run greet = store.enqueue("greet", R"({"name": "Ada"})");
    const sprongus::Run refuse = store.enqueue("refuse");
    worker.run_until_idle();
    std::cout << store.get_run(greet.id()).state() << ' ' << store.output(greet.id()) << '\n';
    std::cout << store.get_run(refuse.id()).state() << ": " << store.get_run(refuse.id()).error().value_or("") << '\n';
    return store.get_run(greet.id()).state() == "succeeded" ? 0 : 1;
} catch (const sprongus::Error &error) {
    std::cerr << error.name() << ": " << error.what() << '\n';
    return 1;
}
