"""The Streamlit page and the HTTP routes beside it."""
