"""What one answer takes from several rooms, put together once for every face that gives it: a module an answer.

Faces word it and show it; workers may use it too. It knows no face, reads no setting and holds nothing between answers.
"""
