"""python -m tests.chaos [frames]: alerts under fire, with as many frames as named (334: a thousand transitions)."""

if __name__ == "__main__":
    from tests.chaos.under_fire import main

    main()
